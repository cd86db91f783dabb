// Package hologram reads and writes the wire of Hologram, its terms in both directions, commands, replies and pages, without any I/O.
//
// It speaks v0.9 to v0.11 of Hologram, which share one wire. Elixir terms travel in two spellings, and Term is what both
// say. Up they are JSON, text as hex digits:
//
//	POST /hologram/command          [3,{"t":"m","d":[["ainstance_id","b0…"],["amodule","aElixir.App.Page"],["aname","asend"],
//	                                  ["aparams",{"t":"m","d":[["atext","b06869"]]}],["atarget","b070616765"]]}]
//
// Down they are JavaScript that a browser evaluates, in the reply and on the stream, text as it is:
//
//	200    {"action":"Type.atom(\"nil\")","selfEchoes":"Type.list([])","status":1,"subReceiptAdds":"Type.list([])","subReceiptDrops":"Type.list([])"}
//
//	event: broadcast
//	id: 3
//	data: Type.tuple([Type.atom("send"), Type.map([[Type.atom("text"), Type.bitstring("hi")]]), Type.list([Type.bitstring("page")])])
//
// A client comes to its stream in three steps: the page (ParsePage) gives it an instance, a token against forgery and a
// receipt for each subscription; the handshake (AppendHandshake, ParseHandshakeReply) turns the receipts into an id; the
// id opens the stream, once.
//
// # Events of holobench
//
// An event travels down as the action of its name, with the params channel and payload, for the component "page", and up as
// the command of its name with the same params. So the marker of a payload stands literally in whatever goes down, in a reply
// too, and wire.FindMarker finds it there without any parsing. Up it stands as hex, and is read by ParseEventCommand only.
//
// # What is refused
//
// Parsers read foreign bytes, strictly: an error names the byte at which it was noticed, and shows none of the text, which
// may be a secret. An input is read once from left to right, at most MaxDepth deep and with at most MaxTerms terms; how
// long it may be is for the caller to say. Functions, pids, ports, references, and bitstrings that are no whole bytes are
// refused: no text is in them.
package hologram

import "strconv"

// Paths of the wire.
const (
	CommandPath   = "/hologram/command"
	HandshakePath = "/hologram/sse/handshake"
	EventsPath    = "/hologram/sse" // with the two query parameters below
	PingPath      = "/hologram/ping"
)

// What a request of the wire carries beside its body.
const (
	InstanceParam  = "instance_id"  // of EventsPath: the instance that the page was given
	HandshakeParam = "handshake_id" // of EventsPath: what the handshake answered
	CSRFHeader     = "X-Csrf-Token" // of CommandPath: the token that the page was given
)

// Names of the events of a stream. An event named Broadcast is an action for all who subscribe, Action is one for this
// instance alone, and the others tell of its receipts.
const (
	Broadcast          = "broadcast"
	Action             = "action"
	AddSubReceipts     = "add_sub_receipts"
	RefreshSubReceipts = "refresh_sub_receipts"
	DropSubReceipts    = "drop_sub_receipts"
)

// Heartbeat is what keeps a quiet stream open, every 15 s.
const Heartbeat = ":\n\n"

// Limits on what a parser accepts in one input.
const (
	MaxDepth = 64      // lists, tuples and maps within each other
	MaxTerms = 1 << 16 // terms in all, the keys of maps counted in
)

// AppendFrame appends one event of a stream to dst, its fields in the order in which Hologram writes them. Data is one line,
// as AppendBroadcast and AppendExpression write it. Hologram counts ids on each node, over all of its streams: a gap is no
// loss, and the same event has another id at another client.
func AppendFrame(dst []byte, name string, id uint64, data []byte) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\nid: "...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, "\ndata: "...)
	dst = append(dst, data...)
	return append(dst, "\n\n"...)
}
