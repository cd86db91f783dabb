package run

import (
	"fmt"
	"strings"
	"time"

	"holobench/scenarios"
)

// log writes a line into the journal of the run: when, which client, which step, and the text. Line ends in the text, which may
// be a server's, stay in it as what they are called.
func (w *walk) log(s *scenarios.Log) {
	if w.x.o.Log == nil {
		return
	}
	text := strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(w.fill(s.Place, &s.Text))
	w.x.o.Log(fmt.Sprintf("%s c%d %s %s", time.Duration(w.x.now()-w.x.began.Load()), w.id, s.Path, text))
}
