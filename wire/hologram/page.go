package hologram

import (
	"bytes"
	"errors"
	"fmt"
)

// Page is what a page tells its client in scripts.
type Page struct {
	CSRFToken  string    // goes into the CSRFHeader of each command; a secret
	InstanceID string    // names this load of the page, and so its stream
	Receipts   []Receipt // for the subscriptions that the page declared
}

const (
	csrfName     = "globalThis.Hologram.csrfToken"
	instanceName = "globalThis.Hologram.instanceId"
	mountName    = "globalThis.Hologram.pageMountData"
	addsName     = "subReceiptAdds"
)

// AppendPage appends the scripts of a page to dst, as they stand in the head of a document. No text in p ends a script: "<" is
// escaped.
func AppendPage(dst []byte, p Page) []byte {
	dst = append(dst, "<script>\n"...)
	start := len(dst)
	dst = append(dst, "globalThis.Hologram ??= {};\n"+csrfName+" = "...)
	dst = appendLiteral(dst, p.CSRFToken)
	dst = append(dst, ";\n"+instanceName+" = "...)
	dst = appendLiteral(dst, p.InstanceID)
	dst = escapeTail(append(dst, ";\n"...), start, pageEscapes())
	dst = append(dst, "</script>\n<script>\n"...)
	start = len(dst)
	dst = append(dst, mountName+" = (deps) => {\nconst Type = deps.Type;\nreturn {\nselfEchoes: "+noneExpression+",\n"+addsName+": "...)
	dst = AppendReceipts(dst, p.Receipts)
	dst = append(dst, ",\nsubReceiptDrops: "+noneExpression+"\n};\n};\n"...)
	dst = escapeTail(dst, start, pageEscapes())
	return append(dst, "</script>\n"...)
}

// pageEscapes keep text from ending the script in which it stands. There "<" stands in literals only, and means the same as
// its escape.
func pageEscapes() escapes { return escapes{one: '<', other: '<'} }

// ParsePage finds in a document what AppendPage, or a page of Hologram, tells its client. It looks for token, instance and
// receipts in this order, for each behind the one before, so that no value passes for a name; and the first place at which
// a name stands decides, because a page writes them into its head, before any text of a user.
func ParsePage(document []byte) (Page, error) {
	var p Page
	c := cursor{src: document}
	p.CSRFToken = c.assigned(csrfName)
	p.InstanceID = c.assigned(instanceName)
	p.Receipts = c.mounted()
	if c.err == nil && (p.CSRFToken == "" || p.InstanceID == "") {
		c.err = errors.New("the token against forgery or the instance is empty")
	}
	if c.err != nil {
		return Page{}, fmt.Errorf("reading a page: %w", c.err)
	}
	return p, nil
}

// find goes behind the next place at which name stands.
func (c *cursor) find(name string) {
	at := bytes.Index(c.src[c.at:], []byte(name))
	if at < 0 {
		if c.err == nil {
			c.err = fmt.Errorf("it has no %s; is it a page of Hologram, v0.9 or later, and not that of an error?", name)
		}
		return
	}
	c.at += at + len(name)
}

// assigned reads the literal that is assigned to name.
func (c *cursor) assigned(name string) string {
	c.find(name)
	c.expect('=')
	c.space()
	return c.literal()
}

// mounted reads the receipts of a page. They stand behind the state of its components, which holds text of users; so what
// is within quotes is passed over, and no such text is taken for the name.
func (c *cursor) mounted() []Receipt {
	c.find(mountName)
	for c.err == nil && c.at < len(c.src) {
		quote := bytes.IndexByte(c.src[c.at:], '"')
		if quote < 0 {
			quote = len(c.src) - c.at
		}
		if name := bytes.Index(c.src[c.at:c.at+quote], []byte(addsName+":")); name >= 0 {
			c.at += name + len(addsName) + 1
			return c.receipts()
		}
		c.at = min(c.at+quote+1, len(c.src))
		c.at = min(c.at+stringEnd(c.src[c.at:])+1, len(c.src))
	}
	c.fail(c.at, "it has no "+addsName)
	return nil
}

// receipts reads the expression of a list of receipts, and what follows is not its matter.
func (c *cursor) receipts() []Receipt {
	at := c.at
	t := c.expression()
	if c.err != nil {
		return nil
	}
	all, err := receipts(t)
	if err != nil {
		c.fail(at, "%v", err)
	}
	return all
}
