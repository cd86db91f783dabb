package scenarios

import (
	"bytes"
	"fmt"
	"os"
	"slices"
)

// FeedTable is the open file of a Feed. It keeps where each row begins, 8 bytes a row, and no cell. Several goroutines may read it.
type FeedTable struct {
	file    *os.File
	offsets []int64 // of each row, and the end of the last
	columns int
}

// OpenFeed opens the file of a feed and goes through it once more: a file that is no longer what was checked is refused.
func OpenFeed(f *Feed) (*FeedTable, error) {
	file, err := openFeed(f.Path, f.Path)
	if err != nil {
		return nil, fmt.Errorf("open feed %s: %w", f.Name, err)
	}
	s := feedScan{path: f.Path, indexed: true}
	if wrong := s.scan(file); wrong != nil {
		file.Close() //nolint:errcheck // it was only read
		return nil, fmt.Errorf("open feed %s: %w", f.Name, *wrong)
	}
	if s.rows != f.Rows || !slices.Equal(s.columns, f.Columns) {
		file.Close() //nolint:errcheck // it was only read
		return nil, fmt.Errorf("open feed %s: %s has changed since it was checked", f.Name, f.Path)
	}
	end, err := file.Seek(0, 2)
	if err != nil {
		file.Close() //nolint:errcheck // it was only read
		return nil, fmt.Errorf("open feed %s: %w", f.Name, err)
	}
	return &FeedTable{file: file, offsets: append(s.offsets, end), columns: len(s.columns)}, nil
}

// Row returns the cells of a row, from 0, in the order of Feed.Columns.
func (t *FeedTable) Row(i int) ([]string, error) {
	if i < 0 || i >= len(t.offsets)-1 {
		return nil, fmt.Errorf("read row %d of %s: it has %d", i, t.file.Name(), len(t.offsets)-1)
	}
	text := make([]byte, t.offsets[i+1]-t.offsets[i])
	if _, err := t.file.ReadAt(text, t.offsets[i]); err != nil {
		return nil, fmt.Errorf("read row %d of %s: %w", i, t.file.Name(), err)
	}
	cells := splitRow(text)
	if len(cells) != t.columns {
		return nil, fmt.Errorf("read row %d of %s: the file has changed since it was checked", i, t.file.Name())
	}
	return cells, nil
}

// Close closes the file.
func (t *FeedTable) Close() error { return t.file.Close() }

// splitRow cuts one row that encoding/csv has taken into its cells, as it does.
func splitRow(text []byte) []string {
	for bytes.HasPrefix(text, []byte("\n")) || bytes.HasPrefix(text, []byte("\r\n")) { // empty lines before it
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	text = bytes.TrimSuffix(text, []byte("\r")) // at the end of the file
	for bytes.HasSuffix(text, []byte("\n")) {
		text = bytes.TrimSuffix(text[:len(text)-1], []byte("\r"))
	}
	var cells []string
	for {
		cell, rest, more := splitCell(text)
		cells = append(cells, cell)
		if !more {
			return cells
		}
		text = rest
	}
}

// splitCell cuts the first cell off.
func splitCell(text []byte) (cell string, rest []byte, more bool) {
	if len(text) == 0 || text[0] != '"' {
		before, after, found := bytes.Cut(text, []byte(","))
		return string(before), after, found
	}
	var b []byte
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			b = append(b, text[i])
		case i+1 < len(text) && text[i+1] == '"':
			b = append(b, '"')
			i++
		default:
			rest := text[i+1:]
			if len(rest) > 0 && rest[0] == ',' {
				return string(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))), rest[1:], true
			}
			return string(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))), nil, false
		}
	}
	return string(b), nil, false
}
