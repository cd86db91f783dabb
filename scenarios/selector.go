package scenarios

// Selector picks a part of a text. The zero Selector picks all of it.
type Selector struct {
	JSON   string // a path such as "document.version" or "items[0].id"; "" = none
	Regex  string // its first group, or all that it matches; "" = none
	Header string // of a reply; "" = none
}
