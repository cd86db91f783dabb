package ordering

// newest knows the last event of each publisher that each member of a channel received, for designs in which a newer value may
// take the place of an older one that is not written yet. The nil map says that nothing is ever superseded.
type newest map[publishing][]uint32 // the Seq by number of the member; 0 = none

// publishing is what one publisher sends to one channel.
type publishing struct{ publisher, channel uint32 }

func newestOf(events []*event) newest {
	n := make(newest)
	for _, e := range events {
		key := publishing{e.part.id.Publisher, e.channel}
		for i := range 64 * len(e.got) {
			if !e.got.has(i) {
				continue
			}
			for len(n[key]) <= i {
				n[key] = append(n[key], 0)
			}
			n[key][i] = max(n[key][i], e.part.id.Seq)
		}
	}
	return n
}

// supersedes tells whether the member with that number received a later event of the publisher of e.
func (n newest) supersedes(e *event, member int) bool {
	seqs := n[publishing{e.part.id.Publisher, e.channel}]
	return member < len(seqs) && seqs[member] > e.part.id.Seq
}
