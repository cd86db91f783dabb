package history

// The last of the constants of each type: whoever walks a whole table, in a file or in a test, stops there.
const (
	lastKind = Foreign
	lastPath = Browser
)

// String is the name under which k stands on disk; a kind that this version does not know is "invalid".
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case DueKind:
		return "due"
	case Queued:
		return "queued"
	case Sent:
		return "sent"
	case Replied:
		return "replied"
	case Refused:
		return "refused"
	case Unknown:
		return "unknown"
	case Dropped:
		return "dropped"
	case Opened:
		return "opened"
	case Subscribed:
		return "subscribed"
	case Unsubscribed:
		return "unsubscribed"
	case Delivered:
		return "delivered"
	case Dispatched:
		return "dispatched"
	case Ended:
		return "ended"
	case Closed:
		return "closed"
	case Expectation:
		return "expectation"
	case FaultBegins:
		return "fault-begins"
	case FaultEnds:
		return "fault-ends"
	case ClockStep:
		return "clock-step"
	case Alien:
		return "alien"
	case Heartbeat:
		return "heartbeat"
	case Foreign:
		return "foreign"
	}
	return "invalid"
}

// BringsEvent says whether an event arrives with a row of that kind, whoever caused it.
func (k Kind) BringsEvent() bool { return k == Delivered || k == Foreign }

// String is the name under which p stands on disk; NoPath, and a path that this version does not know, is empty.
func (p Path) String() string {
	switch p {
	case NoPath:
		return ""
	case Reply:
		return "reply"
	case SSE:
		return "sse"
	case Poll:
		return "poll"
	case WebSocket:
		return "websocket"
	case Browser:
		return "browser"
	}
	return ""
}

// kindOf is the inverse of Kind.String; ok is false for a name of a newer version.
func kindOf(name string) (k Kind, ok bool) {
	for k = Invalid; k <= lastKind; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return Invalid, false
}

// pathOf is the inverse of Path.String; ok is false for a name of a newer version.
func pathOf(name string) (p Path, ok bool) {
	for p = NoPath; p <= lastPath; p++ {
		if p.String() == name {
			return p, true
		}
	}
	return NoPath, false
}
