package models

// pairs are the names that mean two CLIPs, one that proposes masks and one that
// judges them. Each half is itself the name of a model.
//
// "clip" is the pair that the paper's figures on semantic sets were made with
// (car.md section 8): B/16 has the finer grid, L/14 the better judgement; a
// B/16 judge costs 13.5 mIoU on Pascal VOC.
var pairs = map[string][2]string{
	"clip": {"clip-vit-base-patch16", "clip-vit-large-patch14"},
}

// Pair says which models a name stands for: the one that proposes and the one
// that judges. A name that is no pair stands for itself in both roles.
func Pair(name string) (proposer, judge string) {
	if p, ok := pairs[name]; ok {
		return p[0], p[1]
	}
	return name, name
}
