package wire

import "encoding/binary"

// Dispatch is one line of a target's journal: its node began to hand this event out, as its Sequence-th, at this time.
// The journal is the server's own order of events, to be laid beside what the clients saw.
type Dispatch struct {
	Run      RunID
	Event    EventID
	Node     uint32
	Sequence uint64 // counts what the node dispatched, from 1
	At       int64  // CLOCK_REALTIME, ns since 1970
}

// DispatchSize is the length of one journal record, in bytes.
const DispatchSize = 32

// AppendDispatch appends d to dst in DispatchSize bytes, little-endian.
func AppendDispatch(dst []byte, d Dispatch) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(d.Run))
	dst = binary.LittleEndian.AppendUint32(dst, d.Event.Publisher)
	dst = binary.LittleEndian.AppendUint32(dst, d.Event.Seq)
	dst = binary.LittleEndian.AppendUint32(dst, d.Node)
	dst = binary.LittleEndian.AppendUint64(dst, d.Sequence)
	return binary.LittleEndian.AppendUint64(dst, uint64(d.At))
}

// ParseDispatch reads the first record of p; ok is false when p is shorter than one, as the last record of a killed
// node's journal may be.
func ParseDispatch(p []byte) (d Dispatch, rest []byte, ok bool) {
	if len(p) < DispatchSize {
		return Dispatch{}, p, false
	}
	d = Dispatch{
		Run:      RunID(binary.LittleEndian.Uint32(p)),
		Event:    EventID{Publisher: binary.LittleEndian.Uint32(p[4:]), Seq: binary.LittleEndian.Uint32(p[8:])},
		Node:     binary.LittleEndian.Uint32(p[12:]),
		Sequence: binary.LittleEndian.Uint64(p[16:]),
		At:       int64(binary.LittleEndian.Uint64(p[24:])),
	}
	return d, p[DispatchSize:], true
}
