package shape

// flood has what finds parts and holes. Its slices are of the pixels of the box with a
// frame of one pixel around, so that no step has to look for the end of a row. Pixels of
// the frame are closed from the start.
type flood struct {
	w, h   int // with the frame
	value  []uint8
	level  []uint8
	closed []bool
	list   []int32

	// The queues of [flood.run], one for each level: heads has the first pixel of each,
	// and next the one after a pixel. 0 ends a queue: it is a pixel of the frame.
	heads [256]int32
	next  []int32
}

// load copies the box of a mask.
func (f *flood) load(v *view) {
	f.w, f.h = v.box.Dx()+2, v.box.Dy()+2
	n := f.w * f.h
	f.value, f.level = grown(f.value, n), grown(f.level, n)
	f.closed, f.next, f.list = grown(f.closed, n), grown(f.next, n), grown(f.list, n)[:0]
	for y := range v.box.Dy() {
		copy(f.value[(y+1)*f.w+1:], v.row(y))
	}
}

// open marks all pixels but those of the frame as not reached.
func (f *flood) open() {
	clear(f.closed)
	for x := range f.w {
		f.closed[x], f.closed[(f.h-1)*f.w+x] = true, true
	}
	for y := range f.h {
		f.closed[y*f.w], f.closed[y*f.w+f.w-1] = true, true
	}
}

// neighbours returns the offsets of the pixels connected by sides, and then those
// connected by corners.
func (f *flood) neighbours() [8]int {
	return [8]int{-f.w, -1, 1, f.w, -f.w - 1, -f.w + 1, f.w - 1, f.w + 1}
}

// dry prepares for [flood.run]: pixels that are not reached by lower water have level 255.
// Those of value 255 cannot be, and let no water on, so they are closed.
func (f *flood) dry() {
	f.open()
	for i, p := range f.value {
		f.level[i] = 255
		if p == 255 {
			f.closed[i] = true
		}
	}
}

// push lets the water in at a pixel, at least at the given level.
func (f *flood) push(i int, level uint8) {
	level = max(level, f.value[i])
	f.closed[i], f.level[i] = true, level
	f.next[i], f.heads[level] = f.heads[level], int32(i)
}

// run raises the water from the pixels that were pushed, until every pixel has the level
// at which it gets wet: each path to it has a highest value, and the lowest of these is
// the level. Pixels are taken in the order of their levels, as in Barnes, Lehman and Mulla,
// "Priority-Flood", Computers & Geosciences 62, 2014.
func (f *flood) run(neighbours []int) {
	for level := 0; level < len(f.heads); {
		i := int(f.heads[level])
		if i == 0 {
			level++
			continue
		}
		f.heads[level] = f.next[i]
		for _, o := range neighbours {
			if !f.closed[i+o] {
				f.push(i+o, uint8(level))
			}
		}
	}
}

// component appends to list the pixels that are connected with pixel i and that member
// takes, closes them, and returns them.
func (f *flood) component(i int, neighbours []int, member func(f *flood, i int) bool) []int32 {
	first := len(f.list)
	f.list = append(f.list, int32(i))
	f.closed[i] = true
	for k := first; k < len(f.list); k++ {
		for _, o := range neighbours {
			if j := int(f.list[k]) + o; !f.closed[j] && member(f, j) {
				f.closed[j] = true
				f.list = append(f.list, int32(j))
			}
		}
	}
	return f.list[first:]
}

// fillHoles fills the holes of at most area; see [Options.FillHoles].
func (f *flood) fillHoles(v *view, area float64) {
	if v.box.Empty() {
		return
	}
	f.load(v)
	f.dry()
	for x := 1; x < f.w-1; x++ {
		f.enter(f.w + x)
		f.enter((f.h-2)*f.w + x)
	}
	for y := 1; y < f.h-1; y++ {
		f.enter(y*f.w + 1)
		f.enter(y*f.w + f.w - 2)
	}
	neighbours := f.neighbours()
	f.run(neighbours[:4])

	f.open()
	for y := range v.box.Dy() {
		for x := range v.box.Dx() {
			i := (y+1)*f.w + x + 1
			if f.closed[i] || !raised(f, i) {
				continue
			}
			sum := 0
			f.list = f.list[:0]
			hole := f.component(i, neighbours[:4], raised)
			for _, j := range hole {
				sum += int(f.level[j] - f.value[j])
			}
			if float64(sum) > area*255 {
				continue
			}
			for _, j := range hole {
				v.row(int(j)/f.w - 1)[int(j)%f.w-1] = f.level[j]
			}
		}
	}
}

// enter pushes a pixel that was not reached yet, at its own value.
func (f *flood) enter(i int) {
	if !f.closed[i] {
		f.push(i, 0)
	}
}

func raised(f *flood, i int) bool { return f.level[i] > f.value[i] }

// dropParts drops the parts of fewer pixels than area; see [Options.MinArea].
func (f *flood) dropParts(v *view, area float64) {
	if v.box.Empty() {
		return
	}
	f.load(v)
	neighbours := f.neighbours()
	f.open()
	for y := range v.box.Dy() {
		for x := range v.box.Dx() {
			i := (y+1)*f.w + x + 1
			if f.closed[i] || !belongs(f, i) {
				continue
			}
			start := len(f.list)
			if part := f.component(i, neighbours[:], belongs); float64(len(part)) < area {
				f.list = f.list[:start]
			}
		}
	}
	// What is in the list stays. Another pixel stays as high as the lowest value on
	// the best path from it to one that stays. With values inverted, that is the level at
	// which water from there reaches it.
	for i := range f.value {
		f.value[i] = ^f.value[i]
	}
	f.dry()
	for _, i := range f.list {
		f.closed[i], f.level[i] = true, f.value[i]
	}
	for _, i := range f.list {
		for _, o := range neighbours {
			if !f.closed[int(i)+o] {
				f.push(int(i), 0)
				break
			}
		}
	}
	f.run(neighbours[:])
	for y := range v.box.Dy() {
		row := v.row(y)
		for x, l := range f.level[(y+1)*f.w+1:][:len(row)] {
			row[x] = ^l
		}
	}
}

func belongs(f *flood, i int) bool { return f.value[i] >= inside }
