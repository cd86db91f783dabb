// Package chaos makes a link or a node worse, on purpose and repeatably.
//
// A rule judges, a link carries out: a Rule says how much later a byte that arrived at a given time becomes visible, and
// knows nothing of sockets; a link holds the bytes back and hands them on with the stamp that the rule produced. The
// error of the link's own timer is therefore never part of the delay that is reported: it shows as the generator's lag.
package chaos

import "time"

// Rule judges what arrived at that time (ns since 1970) and returns its delay, at least 0.
type Rule func(at int64) time.Duration

// Constant delays everything alike.
func Constant(delay time.Duration) Rule {
	return func(int64) time.Duration { return delay }
}
