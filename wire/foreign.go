package wire

// foreignFrom is the first of the publishers that no run has: a run numbers its clients from 0 and is far from having as many.
const foreignFrom = 1 << 31

// ForeignEvent is the EventID of an event that no command of the run caused, or of which nobody can tell: it follows from its
// channel and the name that the server gives it, wherever the two are seen. Two names share an EventID with a chance of 1 in 2^63,
// among a million names with one of 1 in 18 million; that is chance, not protection: whoever wants two names to meet can make them.
func ForeignEvent(channel string, name []byte) EventID {
	h := uint64(14695981039346656037) // FNV-1a, whose bits are mixed at the end, since few names differ in their last letter only
	for i := range len(channel) {
		h = (h ^ uint64(channel[i])) * 1099511628211
	}
	h = (h ^ 0xff) * 1099511628211 // no text holds that byte: "a" of "bc" is not "ab" of "c"
	for _, b := range name {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	return EventID{Publisher: uint32(h>>32) | foreignFrom, Seq: uint32(h)}
}

// Foreign says whether no client of the run is the event's publisher.
func (id EventID) Foreign() bool { return id.Publisher >= foreignFrom }
