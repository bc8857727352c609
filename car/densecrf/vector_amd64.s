#include "textflag.h"

// The inner loops with AVX2. A row of up to 8 lanes is one register, X or Y, a
// row of 16 two of Y. See loops.go for what each computes; no multiplication is
// fused with an addition, and every sum has the order of the plain loops.

// A constant, eight times.
#define CONSTANT(name, bits) \
	DATA name<>+0(SB)/4, $bits; DATA name<>+4(SB)/4, $bits; \
	DATA name<>+8(SB)/4, $bits; DATA name<>+12(SB)/4, $bits; \
	DATA name<>+16(SB)/4, $bits; DATA name<>+20(SB)/4, $bits; \
	DATA name<>+24(SB)/4, $bits; DATA name<>+28(SB)/4, $bits; \
	GLOBL name<>(SB), RODATA|NOPTR, $32

CONSTANT(one, 0x3f800000)
CONSTANT(magic, 0x4b400000) // 3·2^22
CONSTANT(low, 0xc2ae0000) // -87
CONSTANT(invLn2, 0x3fb8aa3b) // 1/ln 2
CONSTANT(ln2Hi, 0x3f318000)
CONSTANT(ln2Lo, 0xb95e8083)
CONSTANT(e6, 0x3ab60b61) // 1/720, and so on
CONSTANT(e5, 0x3c088889)
CONSTANT(e4, 0x3d2aaaab)
CONSTANT(e3, 0x3e2aaaab)
CONSTANT(half, 0x3f000000)
CONSTANT(least, 0x3727c5ac) // the smallest probability
CONSTANT(l8, 0x3d9021bb) // the polynomial of the logarithm
CONSTANT(l7, 0xbdebd1b8)
CONSTANT(l6, 0x3def251a)
CONSTANT(l5, 0xbdfe5d4f)
CONSTANT(l4, 0x3e11e9bf)
CONSTANT(l3, 0xbe2aae50)
CONSTANT(l2, 0x3e4cceac)
CONSTANT(l1, 0xbe7ffffc)
CONSTANT(l0, 0x3eaaaaaa)
CONSTANT(sign, 0x80000000)
CONSTANT(rootHalf, 0x3f3504f3) // sqrt(1/2)

// The number of entries ahead of the current one whose rows are prefetched; no more
// than prefetchAhead in lattice.go.
#define AHEAD 24

// splat: one row of values from the points of its vertex.

#define SPLATARGS(shift) \
	MOVQ value+0(FP), DI; \
	MOVQ start+8(FP), SI; \
	MOVQ point+16(FP), DX; \
	MOVQ share+24(FP), CX; \
	MOVQ q+32(FP), R8; \
	MOVQ from+40(FP), R9; \
	MOVQ to+48(FP), R10; \
	MOVLQSX (SI)(R9*4), R11; \
	MOVQ R9, AX; \
	SHLQ $shift, AX; \
	ADDQ AX, DI

#define ENTRY(shift, W) \
	MOVL (DX)(R11*4), AX; \
	MOVL (4*AHEAD)(DX)(R11*4), BX; \
	SHLQ $shift, AX; \
	SHLQ $shift, BX; \
	PREFETCHT0 (R8)(BX*1); \
	VBROADCASTSS (CX)(R11*4), W

#define SPLAT(shift, MOV, ADD, MUL, S, T, W) \
	SPLATARGS(shift); \
vertex: \
	MOVLQSX 4(SI)(R9*4), R12; \
	VXORPS S, S, S; \
	CMPQ R11, R12; \
	JGE  row; \
point: \
	ENTRY(shift, W); \
	MUL (R8)(AX*1), W, T; \
	ADD T, S, S; \
	INCQ R11; \
	CMPQ R11, R12; \
	JLT  point; \
row: \
	MOV S, (DI); \
	ADDQ $(1<<shift), DI; \
	INCQ R9; \
	CMPQ R9, R10; \
	JLT  vertex; \
	VZEROUPPER; \
	RET

// blur: one row from its own and two others.

#define BLURARGS(shift) \
	MOVQ dst+0(FP), DI; \
	MOVQ src+8(FP), SI; \
	MOVQ near+16(FP), DX; \
	MOVQ from+24(FP), R9; \
	MOVQ to+32(FP), R10; \
	MOVQ R9, CX; \
	SHLQ $shift, CX

#define NEIGHBOURS(shift) \
	MOVL (DX)(R9*8), AX; \
	MOVL 4(DX)(R9*8), BX; \
	MOVL (8*AHEAD)(DX)(R9*8), R11; \
	MOVL (8*AHEAD+4)(DX)(R9*8), R12; \
	SHLQ $shift, AX; \
	SHLQ $shift, BX; \
	SHLQ $shift, R11; \
	SHLQ $shift, R12; \
	PREFETCHT0 (SI)(R11*1); \
	PREFETCHT0 (SI)(R12*1)

#define BLUR(shift, MOV, ADD, MUL, A, H) \
	BLURARGS(shift); \
	VMOVUPS half<>(SB), H; \
vertex: \
	NEIGHBOURS(shift); \
	MOV (SI)(AX*1), A; \
	ADD (SI)(BX*1), A, A; \
	MUL H, A, A; \
	ADD (SI)(CX*1), A, A; \
	MOV A, (DI)(CX*1); \
	ADDQ $(1<<shift), CX; \
	INCQ R9; \
	CMPQ R9, R10; \
	JLT  vertex; \
	VZEROUPPER; \
	RET

// gather and gatherPairs. MESSAGE computes the sum of both messages in M, or in M and N,
// and advances to the next point; G and H are the two factors.

#define FIRST(shift, MUL, value, corner, weight, M, W) \
	MOVL (corner), AX; \
	SHLQ $shift, AX; \
	VBROADCASTSS (weight), W; \
	MUL (value)(AX*1), W, M

#define NEXT(i, shift, ADD, MUL, value, corner, weight, M, T, W) \
	MOVL (4*i)(corner), AX; \
	SHLQ $shift, AX; \
	VBROADCASTSS (4*i)(weight), W; \
	MUL (value)(AX*1), W, T; \
	ADD T, M, M

#define MESSAGE(shift, ADD, MUL, M, B, T, W, G, H) \
	FIRST(shift, MUL, SI, R8, R9, M, W); \
	NEXT(1, shift, ADD, MUL, SI, R8, R9, M, T, W); \
	NEXT(2, shift, ADD, MUL, SI, R8, R9, M, T, W); \
	FIRST(shift, MUL, DI, R10, R11, B, W); \
	NEXT(1, shift, ADD, MUL, DI, R10, R11, B, T, W); \
	NEXT(2, shift, ADD, MUL, DI, R10, R11, B, T, W); \
	NEXT(3, shift, ADD, MUL, DI, R10, R11, B, T, W); \
	NEXT(4, shift, ADD, MUL, DI, R10, R11, B, T, W); \
	NEXT(5, shift, ADD, MUL, DI, R10, R11, B, T, W); \
	MUL G, M, M; \
	MUL H, B, B; \
	ADD B, M, M; \
	ADVANCE

#define FIRST16(value, corner, weight, M, N, W) \
	MOVL (corner), AX; \
	SHLQ $6, AX; \
	VBROADCASTSS (weight), W; \
	VMULPS (value)(AX*1), W, M; \
	VMULPS 32(value)(AX*1), W, N

#define NEXT16(i, value, corner, weight, M, N, T, U, W) \
	MOVL (4*i)(corner), AX; \
	SHLQ $6, AX; \
	VBROADCASTSS (4*i)(weight), W; \
	VMULPS (value)(AX*1), W, T; \
	VMULPS 32(value)(AX*1), W, U; \
	VADDPS T, M, M; \
	VADDPS U, N, N

#define MESSAGE16(M, N, B, C, T, U, W, G, H) \
	FIRST16(SI, R8, R9, M, N, W); \
	NEXT16(1, SI, R8, R9, M, N, T, U, W); \
	NEXT16(2, SI, R8, R9, M, N, T, U, W); \
	FIRST16(DI, R10, R11, B, C, W); \
	NEXT16(1, DI, R10, R11, B, C, T, U, W); \
	NEXT16(2, DI, R10, R11, B, C, T, U, W); \
	NEXT16(3, DI, R10, R11, B, C, T, U, W); \
	NEXT16(4, DI, R10, R11, B, C, T, U, W); \
	NEXT16(5, DI, R10, R11, B, C, T, U, W); \
	VMULPS G, M, M; \
	VMULPS G, N, N; \
	VMULPS H, B, B; \
	VMULPS H, C, C; \
	VADDPS B, M, M; \
	VADDPS C, N, N; \
	ADVANCE

#define ADVANCE \
	ADDQ $12, R8; \
	ADDQ $12, R9; \
	ADDQ $24, R10; \
	ADDQ $24, R11

#define GATHERARGS \
	MOVQ q+0(FP), R12; \
	MOVQ base+8(FP), R13; \
	MOVQ rest+16(FP), CX; \
	MOVQ top+24(FP), DX; \
	MOVQ gv+32(FP), SI; \
	MOVQ bv+40(FP), DI; \
	MOVQ gc+48(FP), R8; \
	MOVQ bc+56(FP), R10; \
	MOVQ gw+64(FP), R9; \
	MOVQ bw+72(FP), R11; \
	VBROADCASTSS gg+80(FP), Y14; \
	VBROADCASTSS bg+84(FP), Y15; \
	MOVQ n+88(FP), BX

// FOLD reduces eight lanes of messages and energies to four.
#define FOLD(M, XM, E, XE, T) \
	VEXTRACTF128 $1, M, T; \
	VADDPS T, XM, XM; \
	VEXTRACTF128 $1, E, T; \
	VMAXPS T, XE, XE

// LABELS subtracts the messages of four lanes from rest and updates top with the
// maximum of their energies.
#define LABELS(M, E, T) \
	VMOVHLPS M, M, T; \
	VADDPS T, M, M; \
	VMOVSHDUP M, T; \
	VADDSS T, M, M; \
	VMOVSS (CX), T; \
	VSUBSS M, T, T; \
	VMOVSS T, (CX); \
	VMOVHLPS E, E, T; \
	VMAXPS T, E, E; \
	VMOVSHDUP E, T; \
	VMAXSS T, E, E; \
	VMAXSS (DX), E, E; \
	VMOVSS E, (DX); \
	ADDQ $4, CX; \
	ADDQ $4, DX

#define PAIRSARGS \
	MOVQ q+0(FP), R12; \
	MOVQ base+8(FP), R13; \
	MOVQ full+16(FP), CX; \
	MOVQ gv+24(FP), SI; \
	MOVQ bv+32(FP), DI; \
	MOVQ gc+40(FP), R8; \
	MOVQ bc+48(FP), R10; \
	MOVQ gw+56(FP), R9; \
	MOVQ bw+64(FP), R11; \
	VBROADCASTSS gg+72(FP), Y14; \
	VBROADCASTSS bg+76(FP), Y15; \
	MOVQ n+80(FP), BX

#define PAIRS(shift, MOV, ADD, SUB, MUL, M, B, T, W, G, H) \
	PAIRSARGS; \
point: \
	MESSAGE(shift, ADD, MUL, M, B, T, W, G, H); \
	VBROADCASTSS (CX), B; \
	ADD (R13), B, B; \
	ADD M, M, M; \
	SUB M, B, B; \
	MOV B, (R12); \
	ADDQ $4, CX; \
	ADDQ $(1<<shift), R13; \
	ADDQ $(1<<shift), R12; \
	DECQ BX; \
	JNZ  point; \
	VZEROUPPER; \
	RET

// EXP replaces V ≤ 0 by its exponential, like exp.
#define EXP(V, T, K, M) \
	VMULPS invLn2<>(SB), V, T; \
	VADDPS magic<>(SB), T, T; \
	VSUBPS magic<>(SB), T, K; \
	VCMPPS $1, low<>(SB), V, M; \
	VMULPS ln2Hi<>(SB), K, T; \
	VSUBPS T, V, V; \
	VMULPS ln2Lo<>(SB), K, T; \
	VSUBPS T, V, V; \
	VMULPS e6<>(SB), V, T; \
	VADDPS e5<>(SB), T, T; \
	VMULPS V, T, T; \
	VADDPS e4<>(SB), T, T; \
	VMULPS V, T, T; \
	VADDPS e3<>(SB), T, T; \
	VMULPS V, T, T; \
	VADDPS half<>(SB), T, T; \
	VMULPS V, T, T; \
	VADDPS one<>(SB), T, T; \
	VMULPS V, T, T; \
	VADDPS one<>(SB), T, T; \
	VCVTTPS2DQ K, K; \
	VPSLLD $23, K, K; \
	VPADDD K, T, T; \
	VANDNPS T, M, V

#define RAISEARGS \
	MOVQ q+0(FP), DI; \
	MOVQ top+8(FP), SI; \
	MOVQ sum+16(FP), DX; \
	MOVQ n+24(FP), CX; \
	XORQ AX, AX

// SUM adds four lanes to the point's sum.
#define SUM(M, T) \
	VMOVHLPS M, M, T; \
	VADDPS T, M, M; \
	VMOVSHDUP M, T; \
	VADDSS T, M, M; \
	VADDSS (DX)(AX*4), M, M; \
	VMOVSS M, (DX)(AX*4)

#define SCALEARGS \
	MOVQ q+0(FP), DI; \
	MOVQ inv+8(FP), SI; \
	MOVQ n+16(FP), CX; \
	XORQ AX, AX

#define SCALE(size, S, T) \
	SCALEARGS; \
point: \
	VBROADCASTSS (SI)(AX*4), S; \
	VMULPS (DI), S, T; \
	VMOVUPS T, (DI); \
	ADDQ $size, DI; \
	INCQ AX; \
	CMPQ AX, CX; \
	JLT  point; \
	VZEROUPPER; \
	RET

// func splat1(value *float32, start, point *int32, share, q *float32, from, to int)
TEXT ·splat1(SB), NOSPLIT, $0-56
	SPLAT(2, VMOVSS, VADDSS, VMULSS, X0, X1, X2)

// func splat4(value *float32, start, point *int32, share, q *float32, from, to int)
TEXT ·splat4(SB), NOSPLIT, $0-56
	SPLAT(4, VMOVUPS, VADDPS, VMULPS, X0, X1, X2)

// func splat8(value *float32, start, point *int32, share, q *float32, from, to int)
TEXT ·splat8(SB), NOSPLIT, $0-56
	SPLAT(5, VMOVUPS, VADDPS, VMULPS, Y0, Y1, Y2)

// func splat16(value *float32, start, point *int32, share, q *float32, from, to int)
TEXT ·splat16(SB), NOSPLIT, $0-56
	SPLATARGS(6)

vertex:
	MOVLQSX 4(SI)(R9*4), R12
	VXORPS  Y0, Y0, Y0
	VXORPS  Y1, Y1, Y1
	CMPQ    R11, R12
	JGE     row

point:
	ENTRY(6, Y2)
	VMULPS (R8)(AX*1), Y2, Y3
	VMULPS 32(R8)(AX*1), Y2, Y4
	VADDPS Y3, Y0, Y0
	VADDPS Y4, Y1, Y1
	INCQ   R11
	CMPQ   R11, R12
	JLT    point

row:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    $64, DI
	INCQ    R9
	CMPQ    R9, R10
	JLT     vertex
	VZEROUPPER
	RET

// func blur1(dst, src *float32, near *pair, from, to int)
TEXT ·blur1(SB), NOSPLIT, $0-40
	BLUR(2, VMOVSS, VADDSS, VMULSS, X0, X1)

// func blur4(dst, src *float32, near *pair, from, to int)
TEXT ·blur4(SB), NOSPLIT, $0-40
	BLUR(4, VMOVUPS, VADDPS, VMULPS, X0, X1)

// func blur8(dst, src *float32, near *pair, from, to int)
TEXT ·blur8(SB), NOSPLIT, $0-40
	BLUR(5, VMOVUPS, VADDPS, VMULPS, Y0, Y1)

// func blur16(dst, src *float32, near *pair, from, to int)
TEXT ·blur16(SB), NOSPLIT, $0-40
	BLURARGS(6)
	VMOVUPS half<>(SB), Y2

vertex:
	NEIGHBOURS(6)
	VMOVUPS (SI)(AX*1), Y0
	VMOVUPS 32(SI)(AX*1), Y1
	VADDPS  (SI)(BX*1), Y0, Y0
	VADDPS  32(SI)(BX*1), Y1, Y1
	VMULPS  Y2, Y0, Y0
	VMULPS  Y2, Y1, Y1
	VADDPS  (SI)(CX*1), Y0, Y0
	VADDPS  32(SI)(CX*1), Y1, Y1
	VMOVUPS Y0, (DI)(CX*1)
	VMOVUPS Y1, 32(DI)(CX*1)
	ADDQ    $64, CX
	INCQ    R9
	CMPQ    R9, R10
	JLT     vertex
	VZEROUPPER
	RET

// func gather1(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·gather1(SB), NOSPLIT, $0-96
	GATHERARGS

point:
	MESSAGE(2, VADDSS, VMULSS, X0, X1, X2, X3, X14, X15)
	VADDSS (R13), X0, X1
	VMOVSS X1, (R12)
	ADDQ   $4, R13
	ADDQ   $4, R12
	VMOVSS (CX), X2
	VSUBSS X0, X2, X2
	VMOVSS X2, (CX)
	VMAXSS (DX), X1, X1
	VMOVSS X1, (DX)
	ADDQ   $4, CX
	ADDQ   $4, DX
	DECQ   BX
	JNZ    point
	VZEROUPPER
	RET

// func gather4(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·gather4(SB), NOSPLIT, $0-96
	GATHERARGS

point:
	MESSAGE(4, VADDPS, VMULPS, X0, X1, X2, X3, X14, X15)
	VADDPS  (R13), X0, X1
	VMOVUPS X1, (R12)
	ADDQ    $16, R13
	ADDQ    $16, R12
	LABELS(X0, X1, X2)
	DECQ    BX
	JNZ     point
	VZEROUPPER
	RET

// func gather8(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·gather8(SB), NOSPLIT, $0-96
	GATHERARGS

point:
	MESSAGE(5, VADDPS, VMULPS, Y0, Y1, Y2, Y3, Y14, Y15)
	VADDPS  (R13), Y0, Y1
	VMOVUPS Y1, (R12)
	ADDQ    $32, R13
	ADDQ    $32, R12
	FOLD(Y0, X0, Y1, X1, X2)
	LABELS(X0, X1, X2)
	DECQ    BX
	JNZ     point
	VZEROUPPER
	RET

// func gather16(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·gather16(SB), NOSPLIT, $0-96
	GATHERARGS

point:
	MESSAGE16(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y14, Y15)
	VADDPS  (R13), Y0, Y2
	VADDPS  32(R13), Y1, Y3
	VMOVUPS Y2, (R12)
	VMOVUPS Y3, 32(R12)
	ADDQ    $64, R13
	ADDQ    $64, R12
	VADDPS  Y1, Y0, Y0
	VMAXPS  Y3, Y2, Y2
	FOLD(Y0, X0, Y2, X2, X4)
	LABELS(X0, X2, X4)
	DECQ    BX
	JNZ     point
	VZEROUPPER
	RET

// func pairs1(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·pairs1(SB), NOSPLIT, $0-88
	PAIRS(2, VMOVSS, VADDSS, VSUBSS, VMULSS, X0, X1, X2, X3, X14, X15)

// func pairs4(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·pairs4(SB), NOSPLIT, $0-88
	PAIRS(4, VMOVUPS, VADDPS, VSUBPS, VMULPS, X0, X1, X2, X3, X14, X15)

// func pairs8(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·pairs8(SB), NOSPLIT, $0-88
	PAIRS(5, VMOVUPS, VADDPS, VSUBPS, VMULPS, Y0, Y1, Y2, Y3, Y14, Y15)

// func pairs16(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)
TEXT ·pairs16(SB), NOSPLIT, $0-88
	PAIRSARGS

point:
	MESSAGE16(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y14, Y15)
	VBROADCASTSS (CX), Y2
	VADDPS       32(R13), Y2, Y3
	VADDPS       (R13), Y2, Y2
	VADDPS       Y0, Y0, Y0
	VADDPS       Y1, Y1, Y1
	VSUBPS       Y0, Y2, Y2
	VSUBPS       Y1, Y3, Y3
	VMOVUPS      Y2, (R12)
	VMOVUPS      Y3, 32(R12)
	ADDQ         $4, CX
	ADDQ         $64, R13
	ADDQ         $64, R12
	DECQ         BX
	JNZ          point
	VZEROUPPER
	RET

// func expRest8(rest, top, sum *float32, n int)
TEXT ·expRest8(SB), NOSPLIT, $0-32
	MOVQ rest+0(FP), DI
	MOVQ top+8(FP), SI
	MOVQ sum+16(FP), DX
	MOVQ n+24(FP), CX
	XORQ AX, AX

points:
	VMOVUPS (DI)(AX*4), Y0
	VSUBPS  (SI)(AX*4), Y0, Y0
	EXP(Y0, Y1, Y2, Y3)
	VMOVUPS Y0, (DI)(AX*4)
	VMOVUPS Y0, (DX)(AX*4)
	ADDQ    $8, AX
	CMPQ    AX, CX
	JLT     points
	VZEROUPPER
	RET

// func invertSums8(rest, sum *float32, n int)
TEXT ·invertSums8(SB), NOSPLIT, $0-24
	MOVQ    rest+0(FP), DI
	MOVQ    sum+8(FP), SI
	MOVQ    n+16(FP), CX
	XORQ    AX, AX
	VMOVUPS one<>(SB), Y1

points:
	VDIVPS  (SI)(AX*4), Y1, Y0
	VMOVUPS Y0, (SI)(AX*4)
	VMULPS  (DI)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ    $8, AX
	CMPQ    AX, CX
	JLT     points
	VZEROUPPER
	RET

// func expLanes4(q, top, sum *float32, n int)
TEXT ·expLanes4(SB), NOSPLIT, $0-32
	RAISEARGS

point:
	VBROADCASTSS (SI)(AX*4), X1
	VMOVUPS      (DI), X0
	VSUBPS       X1, X0, X0
	EXP(X0, X1, X2, X3)
	VMOVUPS      X0, (DI)
	SUM(X0, X1)
	ADDQ         $16, DI
	INCQ         AX
	CMPQ         AX, CX
	JLT          point
	VZEROUPPER
	RET

// func expLanes8(q, top, sum *float32, n int)
TEXT ·expLanes8(SB), NOSPLIT, $0-32
	RAISEARGS

point:
	VBROADCASTSS (SI)(AX*4), Y1
	VMOVUPS      (DI), Y0
	VSUBPS       Y1, Y0, Y0
	EXP(Y0, Y1, Y2, Y3)
	VMOVUPS      Y0, (DI)
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	SUM(X0, X1)
	ADDQ         $32, DI
	INCQ         AX
	CMPQ         AX, CX
	JLT          point
	VZEROUPPER
	RET

// func expLanes16(q, top, sum *float32, n int)
TEXT ·expLanes16(SB), NOSPLIT, $0-32
	RAISEARGS

point:
	VBROADCASTSS (SI)(AX*4), Y5
	VMOVUPS      (DI), Y0
	VMOVUPS      32(DI), Y4
	VSUBPS       Y5, Y0, Y0
	VSUBPS       Y5, Y4, Y4
	EXP(Y0, Y1, Y2, Y3)
	EXP(Y4, Y5, Y6, Y7)
	VMOVUPS      Y0, (DI)
	VMOVUPS      Y4, 32(DI)
	VADDPS       Y4, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	SUM(X0, X1)
	ADDQ         $64, DI
	INCQ         AX
	CMPQ         AX, CX
	JLT          point
	VZEROUPPER
	RET

// func scaleLanes4(q, inv *float32, n int)
TEXT ·scaleLanes4(SB), NOSPLIT, $0-24
	SCALE(16, X0, X1)

// func scaleLanes8(q, inv *float32, n int)
TEXT ·scaleLanes8(SB), NOSPLIT, $0-24
	SCALE(32, Y0, Y1)

// func scaleLanes16(q, inv *float32, n int)
TEXT ·scaleLanes16(SB), NOSPLIT, $0-24
	SCALEARGS

point:
	VBROADCASTSS (SI)(AX*4), Y0
	VMULPS       (DI), Y0, Y1
	VMULPS       32(DI), Y0, Y2
	VMOVUPS      Y1, (DI)
	VMOVUPS      Y2, 32(DI)
	ADDQ         $64, DI
	INCQ         AX
	CMPQ         AX, CX
	JLT          point
	VZEROUPPER
	RET

// func logistic8(q *float32, n int)
TEXT ·logistic8(SB), NOSPLIT, $0-16
	MOVQ    q+0(FP), DI
	MOVQ    n+8(FP), CX
	XORQ    AX, AX
	VXORPS  Y6, Y6, Y6
	VMOVUPS one<>(SB), Y7

points:
	VMOVUPS   (DI)(AX*4), Y0
	VCMPPS    $0x1e, Y6, Y0, Y4 // greater
	VORPS     sign<>(SB), Y0, Y0
	EXP(Y0, Y1, Y2, Y3)
	VBLENDVPS Y4, Y0, Y7, Y1
	VADDPS    Y7, Y0, Y0
	VDIVPS    Y0, Y1, Y1
	VMOVUPS   Y1, (DI)(AX*4)
	ADDQ      $8, AX
	CMPQ      AX, CX
	JLT       points
	VZEROUPPER
	RET

// func unary8(prob, dst *float32, n int)
TEXT ·unary8(SB), NOSPLIT, $0-24
	MOVQ   prob+0(FP), SI
	MOVQ   dst+8(FP), DI
	MOVQ   n+16(FP), CX
	XORQ   AX, AX
	VXORPS Y7, Y7, Y7

points:
	VMOVUPS   (SI)(AX*4), Y0
	VMAXPS    least<>(SB), Y0, Y0
	VMINPS    one<>(SB), Y0, Y0
	VPSUBD    rootHalf<>(SB), Y0, Y1
	VPSRAD    $23, Y1, Y1
	VPSLLD    $23, Y1, Y2
	VPSUBD    Y2, Y0, Y0
	VSUBPS    one<>(SB), Y0, Y0
	VCVTDQ2PS Y1, Y1
	VMULPS    l8<>(SB), Y0, Y2
	VADDPS    l7<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l6<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l5<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l4<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l3<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l2<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l1<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VADDPS    l0<>(SB), Y2, Y2
	VMULPS    Y0, Y2, Y2
	VMULPS    Y0, Y0, Y3
	VMULPS    Y3, Y2, Y2
	VMULPS    ln2Lo<>(SB), Y1, Y4
	VADDPS    Y4, Y2, Y2
	VMULPS    half<>(SB), Y3, Y3
	VSUBPS    Y3, Y2, Y2
	VADDPS    Y0, Y2, Y2
	VMULPS    ln2Hi<>(SB), Y1, Y1
	VADDPS    Y1, Y2, Y2
	VSUBPS    Y2, Y7, Y2
	VMOVUPS   Y2, (DI)(AX*4)
	ADDQ      $8, AX
	CMPQ      AX, CX
	JLT       points
	VZEROUPPER
	RET
