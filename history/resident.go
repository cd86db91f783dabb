package history

// Resident is what the streams cost the generator: its resident set when it had no clients yet, and at the barrier, when all of them
// held their streams, in bytes and right after a collection of garbage each time. 0 = not known.
type Resident struct {
	Before  int64 `json:"before_bytes"`
	Barrier int64 `json:"barrier_bytes"`
	Streams int   `json:"streams"`
}

// PerStream is what one stream cost, with all that its client is made of, in bytes; not ok when that is not known.
func (r *Resident) PerStream() (bytes float64, ok bool) {
	if r.Before == 0 || r.Barrier == 0 || r.Streams == 0 {
		return 0, false
	}
	return float64(r.Barrier-r.Before) / float64(r.Streams), true
}
