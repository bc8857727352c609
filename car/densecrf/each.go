package densecrf

// InferEach runs the mean field of several fields of two labels over the same
// picture, each as [CRF.Infer] does it with two labels. unary and q hold, field
// by field, the plane of the background and the plane of the foreground; q may be
// the same slice.
func (c *CRF) InferEach(unary []float32, fields int, q []float32) {
	n := 2 * c.w * c.h
	for k := range fields {
		c.Infer(unary[k*n:(k+1)*n], 2, q[k*n:(k+1)*n])
	}
}
