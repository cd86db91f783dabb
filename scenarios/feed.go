package scenarios

// Feed is a table of the user's own, a CSV file: each act of a client takes a row of it.
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
