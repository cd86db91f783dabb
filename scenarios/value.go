package scenarios

import "holobench/internal/draw"

// Value is a value of the user's own, drawn by the seed of the scenario: what a draw gives depends on the Turn alone, so that
// it is the same in every run, and in one process as in many.
type Value struct {
	Name string
	Per  string // PerAct, PerUse or PerClient: when it is drawn anew
	Kind string // IntValue and so on; what of the following counts

	From, To int64    // of IntValue: the least and the most; of SequenceValue: where it begins, and by how much it rises
	Zipf     float64  // of IntValue and PickValue: the exponent by which low numbers, early items, are drawn more often; 0 = all alike
	Length   Amount   // of TextValue and HexValue: in characters
	Items    []Choice // of PickValue

	ranks *draw.Zipf // of Zipf; nil in a literal of Go, which makes it anew for each draw
}

// Choice is one of those of a PickValue.
type Choice struct {
	Text  string
	Share float64 // from 0 to 1; those of a value make 1
}

// The kinds of values.
const (
	IntValue      = "int"      // a whole number
	UUIDValue     = "uuid"     // a version 4 UUID
	TextValue     = "text"     // words of small letters
	HexValue      = "hex"      // hexadecimal digits
	PickValue     = "pick"     // an item of a list
	SequenceValue = "sequence" // numbers that rise, each given out once in the load
)

// When a value is drawn anew.
const (
	PerAct    = "act"    // once for each act of a client: wherever it stands in the act, it is the same
	PerUse    = "use"    // each time that it is filled in
	PerClient = "client" // once for each client, in all loads the same
)

// Turn says for whom, and for the how-manieth time, something is drawn. All numbers count from 0.
type Turn struct {
	Seed      uint64
	Load      string // "" = before the load
	Group     string
	Client    int // its number in its group
	Clients   int // how many of that group the load has
	Iteration int // its acts in this load before this one
	Use       int // of this value in this act before this one
}
