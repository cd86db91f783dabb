package scenarios

import "time"

// Step is one step of a flow, what a client does in one act: a pointer to one of the types of this file, *Send and so on. A
// flow is plain data; whoever carries it out walks it.
type Step interface{ Where() Place }

// Place is where a part of a scenario stands, for the messages and the journal of a run.
type Place struct {
	Line int    // in the file, from 1; 0 = it stands in none
	Path string // its keys, which no other step has: "load.edits.flow[2].on_reply.409[1]"
}

// Where implements Step.
func (p Place) Where() Place { return p }

type (
	// Send posts one command and waits for its reply.
	Send struct {
		Place
		Name    string   // of the command
		Channel Template // where it goes; empty = the load's, else the client's own
		To      *To      // or to the channel of a client of a group; nil = Channel says it
		Payload Payload
		With    []Field   // named parts of the command, in the order of the file; ${payload} stands for the payload there
		OnReply []OnReply // the first that Matches is gone through; none = the flow just goes on
	}

	// Field is one named part of a command.
	Field struct {
		Name  string
		Value Template
	}

	// OnReply is what a client does after a reply of that kind.
	OnReply struct {
		Status string // "409", "4xx", OK or Failed
		Flow   []Step
	}

	// Resend stands in what a Send does OnReply: it sends that command again, as a command of its own, with its templates filled
	// in anew. When it was gone through so often in one act of the Send, the flow goes on behind it.
	Resend struct {
		Place
		Times int // at least 1
	}

	// Get fetches a path by GET and waits for the answer.
	Get struct {
		Place
		Path    Template
		OnReply []OnReply
	}

	// Subscribe adds a channel to those that the client hears, and waits until it does.
	Subscribe struct {
		Place
		Channel Template
	}

	// Unsubscribe takes a channel away from those that the client hears.
	Unsubscribe struct {
		Place
		Channel Template
	}

	// Think waits.
	Think struct {
		Place
		For Amount // ns
	}

	// Expect waits for an event. One that came since the last step that sent something, or since the act began, counts.
	Expect struct {
		Place
		Event   string        // Own, Others, or the name of a command that others send
		Channel Template      // only on that channel; empty = on any
		Within  time.Duration // longer is a failed expectation: a figure, and the flow goes on
		Count   int           // of such events, or of parts of one; at least 1
		Until   *Match        // or as many as it takes until one of them meets it; nil = Count says it
	}

	// Match is what the text of an event must have.
	Match struct {
		By Selector
		Is string // what By must find; "" = it is enough that it finds something
	}

	// Capture keeps a part of the latest reply or event under a name, which templates of the same client can use from then on.
	// Where there is no such part the name keeps what it had, and the miss is counted.
	Capture struct {
		Place
		Name string
		From Source
		By   Selector
	}

	// Repeat goes through its flow several times.
	Repeat struct {
		Place
		Times Amount // a whole number is made of it
		Flow  []Step
	}

	// Choose draws one of its ways.
	Choose struct {
		Place
		Ways []Way
	}

	// Way is one way of a Choose.
	Way struct {
		Share float64 // from 0 to 1; those of a Choose make 1
		Flow  []Step
	}

	// If goes one of two ways.
	If struct {
		Place
		Value   Template
		Is      Comparison // how Value must stand to Operand
		Operand Template
		Then    []Step
		Else    []Step
	}

	// Barrier waits until all clients of the load have come to it.
	Barrier struct {
		Place
		Name   string
		Within time.Duration // then the client goes on alone, and it is a failed expectation
	}

	// Disconnect ends the client's stream, as a phone does that loses its network, and leaves it ended until Reconnect.
	Disconnect struct{ Place }

	// Reconnect opens the client's stream again and waits until it is ready.
	Reconnect struct {
		Place
		Within time.Duration // longer is a failed expectation
	}

	// Log writes a line into the journal of the run.
	Log struct {
		Place
		Text Template
	}
)

// The kinds of replies that are no status.
const (
	OK     = "ok"     // 2xx
	Failed = "failed" // no whole reply came
)

// What an Expect can wait for, beside the name of a command.
const (
	Own    = "own"    // the event of the client's latest command
	Others = "others" // any event of another client
)

// Source is what a Capture looks into.
type Source string

// The sources.
const (
	FromReply Source = "reply"
	FromEvent Source = "event"
)

// To names the clients to whose channels a load posts.
type To struct {
	Clients string
	Which   string // Any, All or Next
}

// To which of the clients a command goes.
const (
	Any  = "any"  // to one that is drawn for each command
	All  = "all"  // to each of them, one command each
	Next = "next" // to one after the other
)

// AtEnd is what every client does when the load and the drain are over.
type AtEnd struct {
	Settle   time.Duration // after the drain, before anything is fetched
	Converge *Converge     // nil = nothing is compared
}

// Converge says that clients fetch their views of one thing, which must then be the same.
type Converge struct {
	Get     Template
	Compare Selector // empty = the whole body
	Among   string   // a group of clients; "" = all
}
