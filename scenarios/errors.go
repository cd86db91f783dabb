package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is one thing that is wrong with a scenario file, at the place where it is wrong.
type Error struct {
	File    string
	Line    int    // from 1; 0 = it stands in no file, and File says where: "--set clients.members.count"
	Column  int    // from 1, in characters
	Message string // what is wrong, without the place; no value of a header and of the environment is ever in it
	Excerpt string // the line with a mark under the column, without a newline at its end; "" when there is none to show
	Remedy  string // how to mend it; may be ""
}

// Error prints the place and the message, then the excerpt and the remedy in lines of their own.
func (e Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	} else {
		fmt.Fprintf(&b, "%s: %s", e.File, e.Message)
	}
	if e.Excerpt != "" {
		b.WriteString("\n" + e.Excerpt)
	}
	if e.Remedy != "" {
		b.WriteString("\n  remedy: " + e.Remedy)
	}
	return b.String()
}

// Errors are all things that were found wrong with a file, by their place; never empty when it is an error.
type Errors []Error

// Error prints them one below the other.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i := range e {
		texts[i] = e[i].Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap makes each of them reachable for errors.As.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i := range e {
		all[i] = e[i]
	}
	return all
}

// advice is an error that knows how to mend what it reports, but not where it stands.
type advice struct {
	message, remedy string
}

// Error joins both, for those who have no line of their own for the remedy.
func (a *advice) Error() string {
	if a.remedy == "" {
		return a.message
	}
	return a.message + ": " + a.remedy
}

func problem(message, remedy string) error { return &advice{message, remedy} }

// faults collects what is wrong with one file.
type faults struct {
	list []Error
}

// add notes something wrong at n.
func (f *faults) add(n *node, message, remedy string) {
	if remedy == "" && strings.Contains(message, "limit") {
		remedy = "stay within the limit"
	}
	e := Error{File: n.source, Line: n.line, Column: n.column, Message: message, Remedy: remedy}
	if n.source != "" { // it says the path already
		e.Message = strings.TrimPrefix(message, strings.TrimPrefix(n.source, "--set ")+": ")
	}
	if len(f.list) < maxFaults && !slices.Contains(f.list, e) { // a part that two aliases refer to is read twice
		f.list = append(f.list, e)
	}
}

// addError notes err, which says what is wrong with the value at path.
func (f *faults) addError(n *node, path string, err error) {
	if known, ok := errors.AsType[*advice](err); ok {
		f.add(n, path+": "+known.message, known.remedy)
		return
	}
	f.add(n, path+": "+err.Error(), "")
}

// errors returns what was collected in the order of the file, with excerpts from text, or nil when there is nothing.
func (f *faults) errors(file, text string) error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	found := f.list
	if len(found) > maxErrors {
		found = found[:maxErrors]
	}
	lines := strings.Split(text, "\n")
	all := make(Errors, len(found))
	for i, e := range found {
		if e.File != "" {
			all[i] = e
			continue
		}
		e.File = file
		e.Line = min(max(1, e.Line), len(lines))
		line := strings.TrimSuffix(lines[e.Line-1], "\r")
		e.Column = min(max(1, e.Column), utf8.RuneCountInString(line)+1)
		e.Excerpt = excerpt(line, e.Line, e.Column)
		all[i] = e
	}
	return all
}

// excerptWidth is the longest part of a line that an excerpt shows, in characters.
const excerptWidth = 100

// excerpt shows a line with its number and a mark under the column.
func excerpt(line string, number, column int) string {
	runes := []rune(line)
	from := 0
	if column > excerptWidth*3/4 {
		from = column - excerptWidth*3/4
	}
	to := min(len(runes), from+excerptWidth)
	shown, dots := string(runes[from:to]), ""
	if from > 0 {
		dots = "..."
	}
	under := []rune(dots + string(runes[from:min(column-1, len(runes))]))
	for i, r := range under {
		if r != '\t' { // a tab stays, so that the mark stands right whatever its width
			under[i] = ' '
		}
	}
	label := strconv.Itoa(number)
	margin := strings.Repeat(" ", len(label))
	return fmt.Sprintf("  %s | %s%s\n  %s | %s^", label, dots, shown, margin, string(under))
}

// quote shows foreign text in a message, on one line and not too long.
func quote(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "..."
	}
	return strconv.Quote(text)
}
