package history

// Convergence is what a run found when, at its end, clients fetched their views of things that should be the same for all.
// Clients that fetched the same path looked at one thing.
type Convergence struct {
	Get     string `json:"get"`              // the path as the scenario has it
	Compare string `json:"compare"`          // what of the answer was compared, in words: "body", "json version"
	Clients int    `json:"clients"`          // that were asked
	Failed  int    `json:"failed,omitempty"` // got no answer with a view in it
	Reason  string `json:"reason,omitempty"` // of the first of those
	Things  int    `json:"things"`           // that were looked at
	Alike   int    `json:"alike"`            // clients with the view that most have of their thing

	Differing []Difference `json:"differing,omitempty"` // of the things of which there is more than one view, the first of them
}

// Difference is one thing of which there is more than one view.
type Difference struct {
	Thing   string   `json:"thing"`   // the path, or the channel
	Views   int      `json:"views"`   // different ones
	Clients []uint32 `json:"clients"` // that have not the view that most have; some of them
	Others  int      `json:"others"`  // how many there are in all
	Offset  int      `json:"offset"`  // of the first byte in which the first of them differs
	Most    string   `json:"most"`    // what stands there for most clients, escaped, a little of it
	First   string   `json:"first"`   // ... and for the first of the others
}

// Document is what clients held of the document of one channel when the drain was over, where they keep replicas. Those that
// had seen its last change have to be equal.
type Document struct {
	Channel string   `json:"channel"`
	Clients int      `json:"clients"`          // that hold a replica
	Newest  uint64   `json:"newest"`           // the highest version among them
	Behind  int      `json:"behind,omitempty"` // have not seen it
	Views   int      `json:"views"`            // different ones among those that have; 1 = they converged
	Others  []uint32 `json:"others,omitempty"` // clients that have not the view that most of those have; some of them
	Missed  int      `json:"missed,omitempty"` // changes that a client saw a later one before
}
