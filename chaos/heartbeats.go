package chaos

// HeartbeatLoss loses the comments by which a server keeps its streams alive, and nothing else: whoever gives a silent stream up
// must do so now.
type HeartbeatLoss struct{}

// Kind implements Effect.
func (HeartbeatLoss) Kind() string { return "heartbeat_loss" }

func (HeartbeatLoss) needs() needs { return needs{down: true, streams: true, http: true} }

func (HeartbeatLoss) check() error { return nil }

type heartbeatRule struct {
	calm
	scope
	number int64
}

func (HeartbeatLoss) rule(s scope) eventStage { return &heartbeatRule{scope: s} }

func (h *heartbeatRule) busy(at int64) bool { return h.moment(at).in }

func (h *heartbeatRule) judge(m message, next func(message)) {
	at := h.moment(m.at)
	if !comment(m) {
		next(m)
		return
	}
	h.number++
	if !at.in {
		next(m)
		return
	}
	h.decided(at, h.number-1, 0)
}

// comment says whether a message has only lines that begin with a colon.
func comment(m message) bool {
	begin := true
	for _, c := range m.bytes {
		switch {
		case c == '\n' || c == '\r':
			begin = true
		case begin && c != ':':
			return false
		default:
			begin = false
		}
	}
	return !m.reply
}
