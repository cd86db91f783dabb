package ordering

import "holobench/history"

// ways are ways by which an event reached a client, a bit each.
type ways uint8

func wayOf(p history.Path) ways { return 1 << p }

// waysNamed is the way of that name; none when nothing has that name.
func waysNamed(name string) ways {
	for p := history.NoPath + 1; p.String() != ""; p++ {
		if p.String() == name {
			return wayOf(p)
		}
	}
	return 0
}
