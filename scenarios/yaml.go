package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads one YAML document into nodes; nil after a fault. The library's own decoder is not used: it stops at the
// first error, knows no place of a value once it is decoded, and lets `{delay: lognormal(2ms, 0.5)}` pass as two keys.
func parseYAML(text string, f *faults) (root *node) {
	defer func() {
		// The library walks foreign bytes with indexes that it does not always check. A file that trips it is wrong in
		// a way that it has no words for.
		if r := recover(); r != nil {
			f.add(&node{line: 1, column: 1}, fmt.Sprintf("the file cannot be read as YAML: %v", r), "look for an unclosed quote or bracket")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(text)
	if !checkTokens(tokens, f) || !checkSpelling(tokens, f) || !checkFlow(tokens, f) {
		f.hideSecrets(text)
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // builder reports all duplicates, and where the first is
	if err != nil {
		at, message := &node{line: 1, column: 1}, err.Error()
		if known, ok := errors.AsType[yaml.Error](err); ok {
			at, message = place(known.GetToken()), known.GetMessage()
		}
		f.addSyntax(at, message)
		f.hideSecrets(text)
		return nil
	}
	b := &builder{faults: f, anchors: map[string]*node{}}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case doc.Body.Type() == ast.DirectiveType:
			f.add(place(doc.Body.GetToken()), "directives are no part of the language", "leave the line that begins with % out")
			return nil
		case root != nil:
			f.add(b.build(doc.Body, 0), "a second document begins here", "keep one scenario a file")
			return nil
		default:
			root = b.build(doc.Body, 0)
		}
	}
	if root == nil && len(f.list) == 0 {
		f.add(&node{line: 1, column: 1}, "the file is empty", "begin with \"version: 1\"; docs/scenarios.md shows a whole scenario")
	}
	return root
}

// place is a node that only knows where it stands.
func place(t *token.Token) *node {
	if t == nil || t.Position == nil {
		return &node{line: 1, column: 1}
	}
	return &node{line: t.Position.Line, column: t.Position.Column}
}

// checkTokens refuses what would make the parser slow or its stack deep, or what the lexer misreads. Brackets nest by themselves; dashes, anchors and
// tags nest when they follow each other on one line. What nests by indentation costs its author the square of its depth.
func checkTokens(tokens token.Tokens, f *faults) bool {
	depth, aliases, keys, openers, line := 0, 0, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, openers = t.Position.Line, 0
		}
		switch t.Type { //nolint:exhaustive // the others nest nothing
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.AnchorType, token.TagType, token.MappingKeyType:
			openers++
		case token.AliasType:
			aliases++
		case token.MappingValueType:
			keys++
		}
		quoted := t.Type == token.DoubleQuoteType || t.Type == token.SingleQuoteType
		switch {
		case quoted && strings.Contains(strings.TrimSpace(t.Origin), "\t"): // the library then loses what stands behind the quotes
			f.add(place(t), "a tab stands in a text in quotes", `write \t for it, in double quotes`)
			return false
		case depth > maxDepth || openers > maxDepth:
			f.add(place(t), "lists and mappings are nested more than "+strconv.Itoa(maxDepth)+" deep", "no scenario is: look for brackets that are not closed")
			return false
		case aliases > maxAliases:
			f.add(place(t), "the file has more than "+strconv.Itoa(maxAliases)+" aliases", "write some of them out")
			return false
		case keys > maxKeys:
			f.add(place(t), "the file has more than "+strconv.Itoa(maxKeys)+" keys", "a scenario says what to do and needs a few lines; is this the right file?")
			return false
		}
	}
	return true
}

// builder turns the library's tree into nodes.
type builder struct {
	*faults
	anchors map[string]*node
	merged  int // entries that merge keys brought in so far
}

// build never returns nil. What it cannot take is noted and stands as a bad node.
func (b *builder) build(from ast.Node, depth int) *node {
	if from == nil {
		return &node{kind: emptyNode, line: 1, column: 1}
	}
	n := place(from.GetToken())
	n.kind = emptyNode
	if depth > maxDepth {
		b.add(n, "lists and mappings are nested more than "+strconv.Itoa(maxDepth)+" deep", "no scenario is: look for brackets that are not closed")
		n.kind = badNode
		return n
	}
	switch from := from.(type) {
	case *ast.NullNode:
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		t := from.GetToken()
		n.kind, n.text, n.origin = scalarNode, t.Value, strings.TrimSpace(t.Origin)
	case *ast.LiteralNode:
		n.kind = scalarNode
		if from.Value != nil {
			n.text, n.origin = from.Value.Value, "\n" // spelled on lines of its own
		}
	case *ast.SequenceNode:
		n.kind = listNode
		for _, item := range from.Values {
			n.items = append(n.items, b.build(item, depth+1))
		}
	case *ast.MappingNode:
		b.buildMapping(n, from, depth)
	case *ast.MappingValueNode:
		b.buildMapping(n, &ast.MappingNode{Values: []*ast.MappingValueNode{from}}, depth)
	case *ast.AnchorNode:
		value := b.build(from.Value, depth+1)
		b.anchors[from.Name.String()] = value // only now: inside of itself it is not known, so that no alias is endless
		return value
	case *ast.AliasNode:
		if known, ok := b.anchors[from.Value.String()]; ok {
			return known
		}
		n.kind = badNode
		b.add(n, "the alias *"+from.Value.String()+" has no anchor above it", "put &"+from.Value.String()+" before the value that it stands for")
	default:
		n.kind = badNode
		b.add(n, "YAML's "+strings.ToLower(from.Type().String())+" is no part of the language", "write the value without it")
	}
	return n
}

// buildMapping fills n. An entry of its own wins over a merged one, an earlier merge over a later one.
func (b *builder) buildMapping(n *node, from *ast.MappingNode, depth int) {
	n.kind = mappingNode
	keys := make(map[string]*node, len(from.Values))
	own := make([]*node, len(from.Values))
	for i, value := range from.Values {
		if value.Key.IsMergeKey() {
			continue
		}
		key := b.build(value.Key, depth+1)
		if key.kind == badNode {
			continue
		}
		if key.kind != scalarNode {
			key = &node{kind: scalarNode, text: "null", line: key.line, column: key.column}
		}
		if first := keys[key.text]; first != nil {
			b.add(key, "the key "+quote(key.text)+" stands here twice", "keep one of them; the first is on line "+strconv.Itoa(first.line))
			continue
		}
		keys[key.text], own[i] = key, key
	}
	for i, value := range from.Values {
		switch {
		case value.Key.IsMergeKey():
			b.merge(n, keys, b.build(value.Value, depth+1))
		case own[i] != nil:
			n.entries = append(n.entries, entry{own[i], b.build(value.Value, depth+1)})
		}
	}
	if !from.IsFlowStyle && len(n.entries) > 0 {
		n.line, n.column = n.entries[0].key.line, n.entries[0].key.column // the library says where its first colon is
	}
}

// merge adds the entries of a mapping, or of a list of them, whose keys are not there yet.
func (b *builder) merge(n *node, keys map[string]*node, from *node) {
	switch from.kind {
	case listNode:
		for _, item := range from.items {
			if item.kind == listNode {
				b.add(item, "a list in a list cannot be merged by \"<<\"", "name the mappings in one list")
				continue
			}
			b.merge(n, keys, item)
		}
	case mappingNode:
		if b.merged += len(from.entries); b.merged > maxMerged {
			b.add(n, "\"<<\" brings in more than "+strconv.Itoa(maxMerged)+" entries", "merge smaller mappings")
			return
		}
		for _, e := range from.entries {
			if keys[e.key.text] == nil {
				keys[e.key.text] = e.key
				n.entries = append(n.entries, e)
			}
		}
	case scalarNode:
		b.add(from, "\"<<\" merges mappings only", "name an anchor of a mapping: <<: *base")
	case emptyNode, badNode: // nothing, or noted already
	}
}
