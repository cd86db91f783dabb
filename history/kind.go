package history

// kindNames and pathNames are how kinds and paths stand in the Parquet files; the order is that of the constants.
var (
	kindNames = [...]string{
		"invalid", "due", "queued", "sent", "replied", "refused", "unknown", "dropped", "opened", "subscribed", "unsubscribed",
		"delivered", "dispatched", "ended", "closed", "expectation", "fault-begins", "fault-ends", "clock-step", "alien", "heartbeat",
	}
	pathNames = [...]string{"", "reply", "sse", "poll", "websocket", "browser"}
)

// String is the name under which k stands on disk.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[Invalid]
	}
	return kindNames[k]
}

// String is the name under which p stands on disk; NoPath is empty.
func (p Path) String() string {
	if int(p) >= len(pathNames) {
		return pathNames[NoPath]
	}
	return pathNames[p]
}
