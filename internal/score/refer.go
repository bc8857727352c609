package score

// Thresholds are the IoUs at and above which an expression counts as found.
var Thresholds = [5]float64{0.5, 0.6, 0.7, 0.8, 0.9}

// Referring has the measures for referring expressions. A sample is one object in one
// frame that has it. Frames without it are measured by [Presence].
type Referring struct {
	Samples   int
	Overall   float64                  // sum of all intersections over the sum of all unions
	Mean      float64                  // mean IoU of the samples
	Precision [len(Thresholds)]float64 // share of the samples whose IoU reaches each threshold
}

// Refer sums up the frames of all tracks. It needs a truth. Without samples all values
// are NaN.
func Refer(tracks ...*Track) Referring {
	var r Referring
	var ious []float64
	var found [len(Thresholds)]int
	intersection, union := 0, 0
	for _, t := range tracks {
		for i, area := range t.TruthArea {
			if area == 0 || t.Ignored[i] {
				continue
			}
			iou := t.J(i)
			ious = append(ious, iou)
			intersection += t.Intersection[i]
			union += t.Union[i]
			for k, threshold := range Thresholds {
				if iou >= threshold {
					found[k]++
				}
			}
		}
	}
	r.Samples = len(ious)
	r.Overall, r.Mean = ratio(intersection, union), mean(ious)
	for k, n := range found {
		r.Precision[k] = ratio(n, len(ious))
	}
	return r
}
