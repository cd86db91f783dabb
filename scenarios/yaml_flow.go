package scenarios

import (
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// flow walks the tokens of a file and knows in which brackets it is. Flow style is where YAML reads something else than was meant, without
// a word: `{delay: lognormal(2ms, 0.5)}` has a key "0.5)" for it, and `{rate:50/s}` is read in two ways by two libraries.
type flow struct {
	*faults
	open   []bracket
	last   *token.Token // the one before, comments aside
	line   int          // of that
	indent int          // the column of the first token on that line

	unclosed bool // more brackets are opened in the file than are closed
}

// bracket is one that is not closed yet, and the entry in it that is being read.
type bracket struct {
	token  *token.Token
	indent int          // of its line
	first  bool         // it begins its line
	colon  bool         // the entry has one
	key    *token.Token // the first of the entry; nil = it has none yet
	value  *token.Token // the latest single value of the entry
	before *token.Token // the latest single value of the entry before it
}

// checkFlow refuses what stands in brackets, or around them, and is not what it seems.
func checkFlow(tokens token.Tokens, f *faults) bool {
	w := &flow{faults: f, unclosed: unclosed(tokens)}
	for i, t := range tokens {
		if t.Type == token.CommentType || i > 0 && tokens[i-1].Type == token.AnchorType { // the second is the anchor's name
			continue
		}
		if w.leaves(t) {
			break
		}
		if !w.step(t) {
			return false
		}
		w.last = t
	}
	top := w.top()
	if top == nil {
		return true
	}
	remedy := "close it by " + closing(top.token) + " where it ends"
	if slices.ContainsFunc(tokens, func(t *token.Token) bool {
		return t.Type == token.CommentType && t.Position.Line == top.token.Position.Line
	}) {
		remedy += "; what follows # is a comment: text with # needs quotes"
	}
	w.add(place(top.token), "the "+top.token.Value+" here is not closed", remedy)
	return false
}

// unclosed tells whether more brackets are opened than closed.
func unclosed(tokens token.Tokens) bool {
	depth := 0
	for _, t := range tokens {
		switch {
		case t.Type == token.MappingStartType || t.Type == token.SequenceStartType:
			depth++
		case closes(t):
			depth--
		}
	}
	return depth > 0
}

// leaves tells whether t begins a line that is no part of the brackets any more, because one of them is never closed: it is indented no
// deeper than the line on which they begin. Brackets that begin a line have no such limit.
func (w *flow) leaves(t *token.Token) bool {
	began := t.Position.Line != w.line
	if began {
		w.line, w.indent = t.Position.Line, t.Position.Column
	}
	return began && w.unclosed && len(w.open) > 0 && !w.open[0].first && t.Position.Column <= w.open[0].indent && !closes(t)
}

// step takes one token in.
func (w *flow) step(t *token.Token) bool {
	switch t.Type {
	case token.MappingStartType, token.SequenceStartType:
		return w.begin(t)
	case token.MappingEndType, token.SequenceEndType:
		return w.end(t)
	case token.CollectEntryType:
		return w.endEntry()
	case token.MappingKeyType:
		if top := w.top(); top != nil {
			top.colon = true // "? key" may go without a value
		}
	case token.MappingValueType:
		if top := w.top(); top != nil {
			top.colon = true
		}
	default:
		if scalar(t) {
			return w.scalar(t)
		}
	}
	return true
}

func (w *flow) top() *bracket {
	if len(w.open) == 0 {
		return nil
	}
	return &w.open[len(w.open)-1]
}

func (w *flow) begin(t *token.Token) bool {
	if w.last != nil && scalar(w.last) && !quoted(w.last) && len(w.open) > 0 && adjoin(w.last, t) {
		w.add(place(t), "a "+t.Value+" stands in the middle of a text that is not in quotes",
			"put the whole text in quotes, as in "+quote(strings.TrimSpace(w.last.Value)+t.Value+"..."+closing(t))+": inside of {} and [] YAML takes brackets for its own")
		return false
	}
	if !w.comma(t) {
		return false
	}
	w.note(t)
	w.open = append(w.open, bracket{token: t, indent: w.indent, first: w.indent == t.Position.Column})
	return true
}

func (w *flow) end(t *token.Token) bool {
	top := w.top()
	if top == nil {
		w.add(place(t), "the "+t.Value+" here closes nothing", "take it out, or open it; text with brackets needs quotes")
		return false
	}
	if closing(top.token) != t.Value {
		w.add(place(t), "the "+top.token.Value+" on line "+strconv.Itoa(top.token.Position.Line)+" is closed by "+t.Value, "write "+closing(top.token)+" here, or before")
		return false
	}
	if !w.endEntry() {
		return false
	}
	w.open = w.open[:len(w.open)-1]
	return true
}

// endEntry looks back at an entry that ends. In a mapping it must have had a colon.
func (w *flow) endEntry() bool {
	top := w.top()
	if top == nil {
		return true
	}
	entry := *top
	*top = bracket{token: top.token, indent: top.indent, first: top.first, before: entry.value}
	if entry.key == nil || entry.colon || top.token.Type != token.MappingStartType || !scalar(entry.key) {
		return true
	}
	text := strings.TrimSpace(entry.key.Value)
	switch {
	case entry.before == nil:
		w.add(place(entry.key), "in braces "+quote(text)+" is a key without a value", "write key: value; a text that begins with { needs quotes, as in "+quote("{"+text+"}"))
	case digits(entry.before.Value) && digits(text):
		w.add(place(entry.key), "the comma splits "+quote(entry.before.Value+","+text)+" in two", "write digits only: "+entry.before.Value+text)
	case parentheses(entry.before.Value) > 0 && parentheses(text) < 0:
		w.addComma(entry.before, entry.key)
	default:
		w.add(place(entry.key), "in braces "+quote(text)+" is a key without a value", "write "+text+": and a value; in braces a comma ends an entry, so that text with a comma needs quotes")
	}
	return false
}

// scalar looks at a single value.
func (w *flow) scalar(t *token.Token) bool {
	top, text := w.top(), strings.TrimSpace(t.Value)
	switch {
	case w.last != nil && (w.last.Type == token.LiteralType || w.last.Type == token.FoldedType):
		return true // text on lines of its own may be anything
	case w.last != nil && quoted(w.last) && lastLine(w.last) == t.Position.Line:
		w.addBehindQuote(t)
		return false
	case top == nil && w.last != nil && closes(w.last) && strings.ContainsAny(firstOf(text), "}]"):
		w.add(place(t), "the "+firstOf(text)+" here closes nothing", "take it out, or open it; text with brackets needs quotes")
		return false
	case !quoted(t) && strings.ContainsAny(firstOf(text), "“”„‘’«»"):
		w.add(place(t), "a text begins with the typographic quote "+firstOf(text), `write plain quotes: "..."`)
		return false
	case top == nil:
		return true
	case !quoted(t) && strings.Contains(text, ": "):
		w.add(place(t), "a second colon stands in "+quote(text), "put a comma before the next key, or the text in quotes")
		return false
	case w.last.Type == token.MappingValueType && top.key != nil && !quoted(top.key) && adjoin(w.last, t):
		w.add(place(w.last), "there is no space behind the colon of "+quote(top.key.Value), "write "+quote(top.key.Value+": "+t.Value))
		return false
	}
	if !w.comma(t) {
		return false
	}
	if top.key == nil && top.before != nil && parentheses(top.before.Value) > 0 && parentheses(t.Value) < 0 {
		w.addComma(top.before, t)
		return false
	}
	w.note(t)
	top.value = t
	return true
}

// comma refuses t when something ended right before it that it does not belong to.
func (w *flow) comma(t *token.Token) bool {
	if w.last == nil || len(w.open) == 0 {
		return true
	}
	if !closes(w.last) && !scalar(w.last) {
		return true
	}
	w.add(place(t), "a comma is missing before "+quote(strings.TrimSpace(t.Value)), "put one between the two; a text on several lines needs quotes in brackets")
	return false
}

// note remembers the first token of an entry.
func (w *flow) note(t *token.Token) {
	if top := w.top(); top != nil && top.key == nil {
		top.key = t
	}
}

// addComma says that a comma in braces split what was one word.
func (w *flow) addComma(first, second *token.Token) {
	a, b := strings.TrimSpace(first.Value), strings.TrimSpace(second.Value)
	w.add(place(second), "the comma inside of the brackets splits "+quote(a+", "+b)+" in two: "+quote(b)+" is read as an entry of its own",
		"put text with a comma in quotes; no value of the language has one: where a function is meant it has a mapping, such as {p50: 2ms, p99: 8ms}")
}

// addBehindQuote says that something follows a text in quotes at once: most often the quote was to end before.
func (w *flow) addBehindQuote(t *token.Token) {
	if end := lastLine(w.last); end > w.last.Position.Line {
		w.add(place(w.last), "the quote that opens here is closed on line "+strconv.Itoa(end)+" only", "close it where the text ends")
		return
	}
	w.add(place(t), quote(strings.TrimSpace(t.Value))+" stands behind a text in quotes", `put all of the text in quotes; in double quotes a quote is \"`)
}

// scalar tells whether a token is a single value.
func scalar(t *token.Token) bool {
	switch t.Type { //nolint:exhaustive // all others are not
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType, token.InfinityType, token.NanType,
		token.HexIntegerType, token.OctetIntegerType, token.BinaryIntegerType, token.SingleQuoteType, token.DoubleQuoteType:
		return true
	}
	return false
}

func closes(t *token.Token) bool {
	return t.Type == token.MappingEndType || t.Type == token.SequenceEndType
}

func quoted(t *token.Token) bool {
	return t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
}

// adjoin tells whether nothing stands between two tokens.
func adjoin(a, b *token.Token) bool {
	return a.Position.Line == b.Position.Line && !strings.HasSuffix(a.Origin, " ") && !strings.HasPrefix(b.Origin, " ")
}

func closing(open *token.Token) string {
	if open.Type == token.SequenceStartType {
		return "]"
	}
	return "}"
}

// parentheses counts those that text opens, less those that it closes.
func parentheses(text string) int { return strings.Count(text, "(") - strings.Count(text, ")") }

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func firstOf(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// lastLine is the line on which a token ends.
func lastLine(t *token.Token) int {
	return t.Position.Line + strings.Count(strings.TrimSpace(t.Origin), "\n")
}
