package run

// share is a part of a plan: every count-th client, from the index-th. The zero share is the whole plan.
type share struct{ index, count int }

// Share is the index-th of count parts of the plan, for a process that does its part of a run: its clients listen, and its
// clients send what the whole plan wants of them, at the same times. Nothing is drawn anew; the parts of a plan are together
// what the whole is. It is the caller's to let their barriers be one.
func (p Plan) Share(index, count int) Plan {
	p.share = share{index: index, count: count}
	return p
}

// has says whether a client, or the n-th command of a flood, belongs to the share.
func (s share) has(n uint64) bool {
	return s.count < 2 || n%uint64(s.count) == uint64(s.index) //nolint:gosec // neither is negative
}

// sends says whether a sender of a load belongs to this share of the plan.
func (p *Plan) sends(load, sender int) bool {
	return p.share.has(uint64(p.first(p.Loads[load].Group) + sender)) //nolint:gosec // neither is negative
}

// first is the number of the first client of a group.
func (p *Plan) first(group int) (number int) {
	for i := range group {
		number += p.Groups[i].Count
	}
	return number
}
