package tidy

import (
	"slices"
	"strconv"
	"strings"
)

// architecture is the document whose tables are the data of the rules.
const architecture = "ARCHITECTURE.md"

// room is one row of the table of packages.
type room struct {
	dir      string
	floor    int
	sentence string   // what stands behind "Package NAME " in the package comment
	may      []string // directories of ours that production files may import; "all" = every one
	line     int
}

// door is one row of the table of libraries: the files that may import them.
type door struct {
	library string   // import path, or the beginning of several
	files   []string // patterns of path.Match
	line    int
}

// leave is one row of the table of what tests may import beyond the floors.
type leave struct {
	dir  string
	also []string
	line int
}

// rooms reads the table of packages.
func rooms(m *module) []room {
	var all []room
	for _, row := range rows(m.texts[architecture], "package", "floor", "its one sentence", "may import of ours") {
		floor, err := strconv.Atoi(row.cell[1])
		if err != nil {
			floor = -1
		}
		all = append(all, room{
			dir: code(row.cell[0]), floor: floor, sentence: row.cell[2], may: list(row.cell[3]), line: row.line,
		})
	}
	return all
}

// doorTable reads the table of libraries.
func doorTable(m *module) []door {
	var all []door
	for _, row := range rows(m.texts[architecture], "library", "its door") {
		all = append(all, door{library: code(row.cell[0]), files: list(row.cell[1]), line: row.line})
	}
	return all
}

// leaves reads the table of what tests may import beyond the floors.
func leaves(m *module) []leave {
	var all []leave
	for _, row := range rows(m.texts[architecture], "tests of", "may also import", "because") {
		all = append(all, leave{dir: code(row.cell[0]), also: list(row.cell[1]), line: row.line})
	}
	return all
}

// tables is the rule that the tables of ARCHITECTURE.md are there and make sense: else the rules that read them would
// find nothing wrong anywhere.
func tables(m *module) []finding {
	var found []finding
	say := func(line int, what, remedy string) {
		found = append(found, finding{architecture, line, what, remedy})
	}
	all := rooms(m)
	if len(all) == 0 {
		say(0, "has no table of packages", "give it one with the columns package, floor, its one sentence, may import of ours")
	}
	if len(doorTable(m)) == 0 {
		say(0, "has no table of libraries", "give it one with the columns library, its door")
	}
	floorOf := make(map[string]int)
	for _, r := range all {
		floorOf[r.dir] = r.floor
	}
	for _, r := range all {
		if r.floor < 0 {
			say(r.line, "the floor of "+r.dir+" is no number", "write 0, 1, 2 ...")
		}
		if !m.exists[r.dir] {
			say(r.line, r.dir+" stands in the table but not in the tree", "write the package, or take the row out")
		}
		for _, dir := range r.may {
			floor, known := floorOf[dir]
			if dir != "all" && (!known || floor >= r.floor) {
				say(r.line, r.dir+" may not import "+dir+", which is not on a lower floor", "imports go down only: let the two meet in a package below both, or move one of them")
			}
		}
	}
	return found
}

// tableRow is one row of a Markdown table, reduced to the columns that were asked for.
type tableRow struct {
	cell []string
	line int
}

// rows returns the rows of every table in text whose header has all of the columns, with their cells in that order.
func rows(text string, columns ...string) []tableRow {
	var found []tableRow
	var at []int // where each column stands in the table at hand; nil = in no such table
	number := 0
	for line := range strings.Lines(text) {
		number++
		cells, ok := cells(line)
		switch {
		case !ok:
			at = nil
		case at == nil:
			at = positions(cells, columns)
		case strings.Trim(strings.Join(cells, ""), "-: ") == "": // the rule under the header
		default:
			row := tableRow{line: number}
			for _, i := range at {
				cell := ""
				if i < len(cells) {
					cell = cells[i]
				}
				row.cell = append(row.cell, cell)
			}
			found = append(found, row)
		}
	}
	return found
}

// cells splits one line of a Markdown table; ok is false when it is none.
func cells(line string) (cells []string, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '|' || line[len(line)-1] != '|' {
		return nil, false
	}
	for cell := range strings.SplitSeq(line[1:len(line)-1], "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	return cells, true
}

// positions returns where the columns stand in a header; nil when one is missing.
func positions(header, columns []string) []int {
	var at []int
	for _, column := range columns {
		i := slices.Index(header, column)
		if i < 0 {
			return nil
		}
		at = append(at, i)
	}
	return at
}

// list splits a cell such as "`wire`, `scenarios` (budgets)" into its names; "-" is none.
func list(cell string) []string {
	var names []string
	for part := range strings.SplitSeq(cell, ",") {
		part, _, _ = strings.Cut(part, " (")
		if part = code(part); part != "" && part != "-" {
			names = append(names, part)
		}
	}
	return names
}

// code strips the blanks and backticks around a name.
func code(cell string) string { return strings.Trim(cell, " `") }
