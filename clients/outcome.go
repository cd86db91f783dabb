package clients

import (
	"holobench/history"
	"holobench/wire/http1"
)

// Outcome is how a command ended. It is valid during the call that hands it over only.
type Outcome struct {
	Kind history.Kind // Replied, Unknown, Refused or Dropped, as in the history
	At   int64        // when that was known
	OK   bool         // it was replied to, and the reply says success
	Body []byte       // of the reply; nil = there is none

	Status int           // of the reply; on a WebSocket 200 or 400, where Phoenix says ok or error; 0 = no whole reply came
	Why    string        // ... why
	Fields []http1.Field // of the reply's head, when Message.Fields is set; none on a WebSocket
}

// ended tells who asked for the command how it ended.
func (next *command) ended(o Outcome) {
	if next.settled != nil {
		next.settled(&o)
	}
}
