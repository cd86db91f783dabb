package report

import (
	"fmt"

	"holobench/history"
)

// referenceEngine is the engine of a group whose streams another client reads, as the run names it.
const referenceEngine = "reference"

// engineText says what held the streams of a group while nothing came.
func engineText(g *history.Group) string {
	switch {
	case g.Engine == "":
		return ""
	case g.EngineWhy != "":
		return fmt.Sprintf(", held by %s: %s", g.Engine, g.EngineWhy)
	}
	return ", held by " + g.Engine
}
