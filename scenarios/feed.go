package scenarios

import (
	"holobench/internal/draw"
)

// Feed is a table of the user's own, a CSV file: each act of a client takes a row of it. A template names a cell FEED.COLUMN.
type Feed struct {
	Name    string
	Path    string   // of the file, to open it
	Columns []string // its first row
	Secret  []string // the columns that no artefact may show
	Take    string   // TakePerClient, TakeNext or TakeRandom
	Rows    int      // without the first
}

// Which row an act takes.
const (
	TakePerClient = "per-client" // the client's own: the first client of a group takes the first row
	TakeNext      = "next"       // one after the other: the clients of a load take turns, and begin again at its end
	TakeRandom    = "random"     // one that is drawn
)

// RowOf is the row that an act takes, from 0; Use of the turn does not matter, so that all columns of one act are of one row.
func (f *Feed) RowOf(t Turn) int {
	switch {
	case f.Rows < 1:
		return 0
	case f.Take == TakeRandom:
		u := draw.Unit(t.Seed, draw.Name("feed "+f.Name), draw.Name(t.Load), draw.Name(t.Group), key(t.Client), key(t.Iteration))
		return int(u * float64(f.Rows))
	case f.Take == TakeNext:
		return (t.Iteration*max(1, t.Clients) + t.Client) % f.Rows
	default:
		return t.Client % f.Rows
	}
}

// key makes a key of a draw of a number that is never below 0.
func key(n int) uint64 { return uint64(max(0, n)) }

// feeds resolves the section of that name.
func (r *resolver) readFeeds() []Feed {
	form := &r.form.Feeds
	var all []Feed
	for _, e := range form.list {
		r.checkKey(e.key, "feeds")
		r.checkOwnName(e.key, "feeds")
		r.require(&e.form.CSV.spot, &e.form.spot, "csv", "name the file: csv: users.csv")
		f := Feed{Name: e.name, Take: r.oneOf(&e.form.Take, TakePerClient, []string{TakePerClient, TakeNext, TakeRandom})}
		if e.form.CSV.usable() {
			r.readFeed(&e.form, &f)
		}
		all = append(all, f)
	}
	if len(all) > maxFeeds {
		r.add(form.at, "feeds: there are "+counted(len(all), "feed")+", the limit is "+counted(maxFeeds, "feed"), "")
	}
	return all
}
