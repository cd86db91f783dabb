package scenarios

// Template is a text in which ${name} and ${name|filter} stand for what a client knows. The zero Template is empty.
type Template struct {
	Text  string // as it stands in the scenario, with what is known beforehand filled in
	parts []part
}

// part is literal text, or a name with its filters.
type part struct {
	literal string
	name    string
	filters []string
}

// Empty says whether there is nothing in it.
func (t *Template) Empty() bool { return t.Text == "" }
