package scenarios

import (
	"slices"
	"strconv"
)

// Knobs are what one design of the bundled target differs in from another, apart from its wire. docs/designs.md says of
// each setting which anomaly it causes or cures.
type Knobs struct {
	Dispatch        string  // Concurrent or Serialized: how the events of one channel are handed out
	Stamp           string  // StampNone or StampSequence: whether an event bears its number in the channel
	Echo            string  // EchoReply, EchoStream or EchoNone: by which way a sender hears of its own event
	Registry        string  // NodeLocal or Shared: where a node looks for the sender's stream before it echoes
	WhenFull        string  // CutStream, DropOldest or Coalesce: what becomes of a subscriber that does not keep up
	FanoutOrder     string  // Registration or Shuffled: in which order one event goes to its subscribers
	Replay          int     // events of a channel that are kept for streams that come back; 0 = none
	ServerTriggered float64 // events a second that each node makes by itself in each channel; 0 = none
}

// The words of the knobs.
const (
	Concurrent    = "concurrent"
	Serialized    = "serialized"
	StampNone     = "none"
	StampSequence = "sequence"
	EchoReply     = "reply"
	EchoStream    = "stream"
	EchoNone      = "none"
	NodeLocal     = "node-local"
	Shared        = "shared"
	CutStream     = "cut"
	DropOldest    = "drop-oldest"
	Coalesce      = "coalesce"
	Registration  = "registration"
	Shuffled      = "shuffled"
)

// defaultReplay is how many events of a channel the designs keep that keep some.
const defaultReplay = 1024

// ownKnobs returns the settings of a design that nobody turned a knob of. The target decides them; a test of the command,
// which may know both, holds the two against each other.
func ownKnobs(design string) Knobs {
	k := Knobs{
		Dispatch: Concurrent, Stamp: StampNone, Echo: EchoStream, Registry: NodeLocal, WhenFull: CutStream, FanoutOrder: Registration,
	}
	switch design {
	case Hologram:
		k.Echo = EchoReply
	case SingleChannel:
		k.Dispatch, k.Replay = Serialized, defaultReplay
	case Sequenced, StateSync:
		k.Dispatch, k.Stamp, k.Replay = Serialized, StampSequence, defaultReplay
	case Ephemeral:
		k.Echo, k.WhenFull = EchoNone, Coalesce
	}
	return k
}

// knobs resolves those of them that stand in server.bundled; the others are the design's own.
func (r *resolver) knobs(design string) Knobs {
	form, k := &r.form.Server.Bundled, ownKnobs(design)
	k.Dispatch = r.oneOf(&form.Dispatch, k.Dispatch, []string{Concurrent, Serialized})
	k.Stamp = r.oneOf(&form.Stamp, k.Stamp, []string{StampNone, StampSequence})
	k.Echo = r.oneOf(&form.Echo, k.Echo, []string{EchoReply, EchoStream, EchoNone})
	k.Registry = r.oneOf(&form.Registry, k.Registry, []string{NodeLocal, Shared})
	k.WhenFull = r.oneOf(&form.WhenFull, k.WhenFull, []string{CutStream, DropOldest, Coalesce})
	k.FanoutOrder = r.oneOf(&form.FanoutOrder, k.FanoutOrder, []string{Registration, Shuffled})
	k.Replay = r.replay(design, k.Replay)
	k.ServerTriggered = form.ServerTriggered.or(k.ServerTriggered)
	if k.ServerTriggered > maxServerTriggered {
		r.add(form.ServerTriggered.at, form.ServerTriggered.path+": "+strconv.FormatFloat(k.ServerTriggered, 'g', -1, 64)+
			"/s is more than the limit, "+strconv.Itoa(maxServerTriggered)+"/s", "it is the rate of each channel on each node")
	}
	return k
}

// replay resolves the key of that name.
func (r *resolver) replay(design string, unset int) int {
	form := &r.form.Server.Bundled.Replay
	switch {
	case !form.usable():
		return unset
	case form.v > maxReplay:
		r.add(form.at, form.path+": "+strconv.FormatUint(form.v, 10)+" events are more than the limit, "+strconv.Itoa(maxReplay), "")
		return unset
	case form.v == 0 && design == StateSync:
		r.add(form.at, form.path+": the design "+design+" resumes by the versions that it keeps, and would keep none", "leave it out, or write how many: replay: 1024")
		return unset
	}
	return int(form.v) //nolint:gosec // within its limits
}

// needsOrder says whether a design numbers events, so that its nodes need a bus that gives the numbers.
func needsOrder(design string) bool { return slices.Contains([]string{Sequenced, StateSync}, design) }
