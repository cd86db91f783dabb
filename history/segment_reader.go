package history

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/parquet-go/parquet-go"
)

// column says which column of a segment fills which field of an Observation.
type column int

const (
	dueColumn column = iota
	notBeforeColumn
	atColumn
	handledColumn
	sequenceColumn
	clientColumn
	publisherColumn
	seqColumn
	partColumn
	channelColumn
	connColumn
	hostColumn
	nodeColumn
	loadColumn
	errColumn
	kindColumn
	pathColumn
	columnCount
)

// missingColumn is the index of a column that an older segment does not have. Its field stays zero.
const missingColumn = -1

// unrecognised is the code of a kind or path of a newer version.
const unrecognised = math.MaxUint32

// otherError is the name that stands for every error text beyond the 65,535 names that Observation.Err can tell apart.
const otherError = "other error"

// segmentReader reads one segment by column pages: an order of magnitude faster than parquet-go's row reader, because a
// page is one slice and a dictionary is translated once a page, not once a row.
type segmentReader struct {
	names        *Names
	unrecognised uint64 // rows with a kind or a path that this version does not know

	file    *os.File
	groups  []parquet.RowGroup
	left    int64 // rows of the open group that were not read yet
	cursors [columnCount]cursor
	index   [columnCount]int // where a column stands in the file
}

// openSegment opens the segment path. A file that is no segment, or whose end is damaged, is an error.
func openSegment(path string, names *Names) (s *segmentReader, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s = &segmentReader{names: names, file: file}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	defer recoverDamage(&err)
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	opened, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	s.groups = opened.RowGroups()
	for i, name := range columnNames() {
		leaf, ok := opened.Schema().Lookup(name)
		if !ok && column(i) == loadColumn { // added later: an older run has none
			s.index[i] = missingColumn
			continue
		}
		if !ok {
			return nil, fmt.Errorf("it has no column %s", name)
		}
		s.index[i] = leaf.ColumnIndex
	}
	return s, nil
}

// columnNames are the names of the columns as row declares them.
func columnNames() [columnCount]string {
	return [columnCount]string{
		"due_ns", "not_before_ns", "at_ns", "handled_ns", "sequence", "client", "publisher", "seq", "part", "channel",
		"conn", "host", "node", "load", "err", "kind", "path",
	}
}

// recoverDamage makes an error of a panic: parquet-go panics on some damaged pages, and a damaged file of a user must not
// end the program.
func recoverDamage(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("it is damaged: %v", cause)
	}
}

// read fills dst with the next rows, and says how many; io.EOF at the end. After another error the reader is spent.
func (s *segmentReader) read(dst []Observation) (n int, err error) {
	defer recoverDamage(&err)
	for s.left == 0 {
		if len(s.groups) == 0 {
			return 0, io.EOF
		}
		if err := s.openGroup(s.groups[0]); err != nil {
			return 0, err
		}
		s.groups = s.groups[1:]
	}
	dst = dst[:min(int64(len(dst)), s.left)]
	for i := range s.cursors {
		if s.index[i] == missingColumn {
			clearLoads(dst)
			continue
		}
		if err := s.fill(column(i), dst); err != nil {
			return 0, fmt.Errorf("column %s: %w", columnNames()[i], err)
		}
	}
	s.left -= int64(len(dst))
	return len(dst), nil
}

func (s *segmentReader) openGroup(group parquet.RowGroup) error {
	chunks := group.ColumnChunks()
	for i := range s.cursors {
		if err := s.cursors[i].close(); err != nil {
			return err
		}
		s.cursors[i] = cursor{}
		if s.index[i] != missingColumn {
			s.cursors[i].pages = chunks[s.index[i]].Pages()
		}
	}
	s.left = group.NumRows()
	return nil
}

// fill reads one column of len(dst) rows, which may lie on several pages.
func (s *segmentReader) fill(which column, dst []Observation) error {
	c := &s.cursors[which]
	for len(dst) > 0 {
		if c.next == c.rows {
			if err := s.nextPage(which, c); err != nil {
				return err
			}
			continue
		}
		n := min(len(dst), c.rows-c.next)
		from, to := c.next, c.next+n
		switch {
		case which <= sequenceColumn:
			copyTimes(which, dst, c.int64s[from:to])
		case which == channelColumn || which >= errColumn:
			s.copyNames(which, dst, c, from, to)
		default:
			copyNumbers(which, dst, c.int32s[from:to])
		}
		c.next = to
		dst = dst[n:]
	}
	return nil
}

// cursor walks the pages of one column of one row group.
type cursor struct {
	pages parquet.Pages
	page  parquet.Page
	rows  int // of the page
	next  int // the first row of it that was not read yet

	// What the page holds: one of the three.
	int64s []int64
	int32s []int32 // numbers, or indexes into codes
	direct []uint32

	dictionary parquet.Dictionary // which codes translates
	codes      []uint32
}

func (c *cursor) close() error {
	if c.pages == nil {
		return nil
	}
	parquet.Release(c.page)
	c.page = nil
	return c.pages.Close()
}

func (s *segmentReader) nextPage(which column, c *cursor) error {
	parquet.Release(c.page)
	c.page = nil
	page, err := c.pages.ReadPage()
	if errors.Is(err, io.EOF) {
		return errors.New("it ends before the others")
	}
	if err != nil {
		return err
	}
	c.page, c.rows, c.next = page, int(page.NumValues()), 0
	c.int64s, c.int32s, c.direct = nil, nil, nil
	data := page.Data()
	got := 0
	switch {
	case which <= sequenceColumn:
		c.int64s = data.Int64()
		got = len(c.int64s)
	case which != channelColumn && which < errColumn:
		c.int32s = data.Int32()
		got = len(c.int32s)
	case page.Dictionary() != nil:
		c.int32s = data.Int32()
		got = len(c.int32s)
		s.translate(which, c, page.Dictionary())
	default: // a writer gives a dictionary up when it grows too large
		bytes, offsets := data.ByteArray()
		for i := 1; i < len(offsets); i++ {
			c.direct = append(c.direct, s.code(which, string(bytes[offsets[i-1]:offsets[i]])))
		}
		got = len(c.direct)
	}
	if got != c.rows {
		return fmt.Errorf("a page of %d rows holds %d values", c.rows, got)
	}
	return nil
}

// translate makes c.codes the numbers of what the dictionary holds.
func (s *segmentReader) translate(which column, c *cursor, dictionary parquet.Dictionary) {
	if c.dictionary == dictionary {
		return
	}
	c.dictionary, c.codes = dictionary, make([]uint32, dictionary.Len())
	for i := range c.codes {
		c.codes[i] = s.code(which, string(dictionary.Index(int32(i)).ByteArray()))
	}
}

// code is the number that stands for text in the fields of the column.
func (s *segmentReader) code(which column, text string) uint32 {
	switch which {
	case kindColumn:
		if kind, ok := kindOf(text); ok {
			return uint32(kind)
		}
		return unrecognised
	case pathColumn:
		if path, ok := pathOf(text); ok {
			return uint32(path)
		}
		return unrecognised
	case errColumn:
		if number := s.names.Number(text); number <= math.MaxUint16 {
			return number
		}
		return s.names.Number(otherError) // small: Open gave it the first number
	default:
		return s.names.Number(text)
	}
}

func copyTimes(which column, dst []Observation, values []int64) {
	dst = dst[:len(values)]
	switch which {
	case dueColumn:
		for i, v := range values {
			dst[i].Due = v
		}
	case notBeforeColumn:
		for i, v := range values {
			dst[i].NotBefore = v
		}
	case atColumn:
		for i, v := range values {
			dst[i].At = v
		}
	case handledColumn:
		for i, v := range values {
			dst[i].Handled = v
		}
	default:
		for i, v := range values {
			dst[i].Sequence = uint64(v)
		}
	}
}

func copyNumbers(which column, dst []Observation, values []int32) {
	dst = dst[:len(values)]
	switch which {
	case clientColumn:
		for i, v := range values {
			dst[i].Client = uint32(v)
		}
	case publisherColumn:
		for i, v := range values {
			dst[i].Event.Publisher = uint32(v)
		}
	case seqColumn:
		for i, v := range values {
			dst[i].Event.Seq = uint32(v)
		}
	case partColumn:
		for i, v := range values {
			dst[i].Part = uint32(v)
		}
	case connColumn:
		for i, v := range values {
			dst[i].Conn = uint32(v)
		}
	case hostColumn:
		for i, v := range values {
			dst[i].Host = uint16(v)
		}
	case loadColumn:
		for i, v := range values {
			dst[i].Load = uint16(v)
		}
	default:
		for i, v := range values {
			dst[i].Node = uint16(v)
		}
	}
}

func clearLoads(dst []Observation) {
	for i := range dst {
		dst[i].Load = 0
	}
}

// copyNames fills a field from strings: through the page's dictionary, or directly when it has none.
func (s *segmentReader) copyNames(which column, dst []Observation, c *cursor, from, to int) {
	if c.direct != nil {
		for i, code := range c.direct[from:to] {
			s.setName(which, &dst[i], code)
		}
		return
	}
	for i, index := range c.int32s[from:to] {
		s.setName(which, &dst[i], c.codes[index])
	}
}

func (s *segmentReader) setName(which column, o *Observation, code uint32) {
	switch which {
	case channelColumn:
		o.Channel = code
	case errColumn:
		o.Err = uint16(code)
	case kindColumn:
		o.Kind = Invalid
		if code == unrecognised {
			s.unrecognised++
			return
		}
		o.Kind = Kind(code)
	default:
		o.Path = NoPath
		if code == unrecognised {
			s.unrecognised++
			return
		}
		o.Path = Path(code)
	}
}

func (s *segmentReader) close() (err error) {
	defer recoverDamage(&err)
	var errs []error
	for i := range s.cursors {
		errs = append(errs, s.cursors[i].close())
	}
	return errors.Join(append(errs, s.file.Close())...)
}
