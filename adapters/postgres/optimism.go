package postgres

// An optimism decides whether a copying import looks up which keys of a batch are taken before it copies the batch.
//
// Few files contain users who are registered already, and looking up is a fifth of an import's time. So after a batch without a taken
// key the import copies the next one without looking, and relies on the unique indexes. A unique violation means that the batch was
// copied in vain, and the import looks up the next batches. Their number doubles with each clash, so that few batches are copied in
// vain.
type optimism struct {
	lookups int // batches to look up before the next one is copied without
	penalty int // lookups after the next batch with a taken key
}

// maxPenalty bounds how long an import remembers one clash.
const maxPenalty = 64

func newOptimism() optimism { return optimism{lookups: 1, penalty: 1} }

func (o *optimism) shouldLookUp() bool { return o.lookups > 0 }

// foundTaken records that a lookup found a taken key.
func (o *optimism) foundTaken() { o.lookups = o.penalty }

// foundNone records that a lookup of a whole batch found no taken key.
func (o *optimism) foundNone() { o.lookups = max(0, o.lookups-1) }

// clashed records that a batch was copied in vain.
func (o *optimism) clashed() {
	o.penalty = min(2*o.penalty, maxPenalty)
	o.lookups = o.penalty
}
