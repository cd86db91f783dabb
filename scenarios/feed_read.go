package scenarios

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readFeed goes through the file of a feed once: what is wrong with it is said now, and its rows are counted.
func (r *resolver) readFeed(form *feedForm, f *Feed) {
	f.Path = form.CSV.v
	if !filepath.IsAbs(f.Path) {
		f.Path = filepath.Join(filepath.Dir(r.file), f.Path)
	}
	file, err := openFeed(f.Path, form.CSV.v)
	if err != nil {
		r.addError(form.CSV.at, form.CSV.path, err)
		return
	}
	defer file.Close()
	s := feedScan{path: f.Path, secret: func(columns []string) []int { return r.secretColumns(form, columns) }}
	if err := s.scan(file); err != nil {
		r.others = append(r.others, *err)
		return
	}
	f.Columns, f.Rows = s.columns, s.rows
	for _, at := range s.hidden {
		f.Secret = append(f.Secret, s.columns[at])
	}
	for value := range s.secrets {
		r.secret = append(r.secret, value)
	}
	slices.Sort(r.secret)
	r.secret = slices.Compact(r.secret)
}

// openFeed opens a file of at most maxFeedBytes; nothing else is opened: a pipe would never end. Messages show the path as it is written.
func openFeed(path, written string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, problem("there is no file "+quote(written), "its path counts from the directory of the scenario")
	case err != nil:
		return nil, problem("the file "+quote(written)+" cannot be read: "+reason(err), "")
	case !info.Mode().IsRegular():
		return nil, problem(quote(written)+" is no file", "name a CSV file")
	case info.Size() > maxFeedBytes:
		return nil, problem("the file "+quote(written)+" has "+strconv.FormatInt(info.Size(), 10)+" bytes, the limit is "+strconv.Itoa(maxFeedBytes), "keep the rows that a run needs")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, problem("the file "+quote(written)+" cannot be read: "+reason(err), "")
	}
	return file, nil
}

// reason is an error of the file system without the path, which stands before it already.
func reason(err error) string {
	if known, ok := errors.AsType[*os.PathError](err); ok {
		return known.Err.Error()
	}
	return err.Error()
}

// secretColumns finds the columns that are secret.
func (r *resolver) secretColumns(form *feedForm, columns []string) []int {
	var all []int
	for _, name := range form.Secret.items {
		if !name.usable() {
			continue
		}
		at := slices.Index(columns, name.v)
		if at < 0 {
			r.add(name.at, name.path+": there is no column "+quote(name.v)+suggest(name.v, columns), "the columns of the file are "+strings.Join(columns, ", "))
			continue
		}
		all = append(all, at)
	}
	return all
}

// feedScan goes through a CSV file, row by row, and keeps none.
type feedScan struct {
	path   string
	secret func(columns []string) []int // which of them are

	columns []string
	hidden  []int
	rows    int
	offsets []int64 // where each row begins; nil = nobody asked
	indexed bool
	secrets map[string]struct{}
}

// scan reads the columns and counts the rows. No message shows a cell: it may be secret.
func (s *feedScan) scan(from io.Reader) *Error {
	reader := csv.NewReader(from)
	reader.ReuseRecord = true
	first, err := reader.Read()
	if err != nil {
		return s.wrong(err)
	}
	if e := s.header(first); e != nil {
		return e
	}
	s.secrets = map[string]struct{}{}
	for {
		offset := reader.InputOffset()
		row, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF) && s.rows == 0:
			return &Error{File: s.path, Line: 2, Column: 1, Message: "the file has a first row with the names of its columns, and no other", Remedy: "add a row for each client"}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return s.wrong(err)
		}
		if e := s.row(reader, row); e != nil {
			return e
		}
		if s.indexed {
			s.offsets = append(s.offsets, offset)
		}
		s.rows++
	}
}

// header takes the first row.
func (s *feedScan) header(row []string) *Error {
	for i, name := range row {
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		name = strings.TrimSpace(name)
		e := &Error{File: s.path, Line: 1, Column: 1}
		switch {
		case !isReference(name) || strings.ContainsAny(name, ".[]") || len(name) > maxName:
			e.Message, e.Remedy = "the column "+strconv.Itoa(i+1)+" has no name that a template can have", "let the first row name the columns: letters, digits, - and _, a letter first"
			return e
		case slices.Contains(s.columns, name):
			e.Message, e.Remedy = "the column "+quote(name)+" stands there twice", "give each a name of its own"
			return e
		case i >= maxColumns:
			e.Message, e.Remedy = "there are more than "+strconv.Itoa(maxColumns)+" columns", "keep those that a text names"
			return e
		}
		s.columns = append(s.columns, name)
	}
	if s.secret != nil {
		s.hidden = s.secret(s.columns)
	}
	return nil
}

// row checks one row.
func (s *feedScan) row(reader *csv.Reader, row []string) *Error {
	at := func(i int, message, remedy string) *Error {
		line, column := reader.FieldPos(i)
		return &Error{File: s.path, Line: line, Column: column, Message: message, Remedy: remedy}
	}
	for i, cell := range row {
		switch {
		case !utf8.ValidString(cell):
			return at(i, "the cell under "+s.columns[i]+" is not UTF-8 text", "save the file as UTF-8")
		case len(cell) > maxCell:
			return at(i, "the cell under "+s.columns[i]+" has "+strconv.Itoa(len(cell))+" bytes, the limit is "+strconv.Itoa(maxCell), "make it shorter, or leave the column out")
		}
	}
	for _, i := range s.hidden {
		if row[i] == "" {
			continue
		}
		if _, known := s.secrets[row[i]]; !known {
			s.secrets[strings.Clone(row[i])] = struct{}{}
		}
		if len(s.secrets) > maxSecrets {
			return at(i, "there are more than "+strconv.Itoa(maxSecrets)+" secrets", "each is looked for in all that is written: keep the rows that a run needs")
		}
	}
	return nil
}

// wrong places an error of the reader.
func (s *feedScan) wrong(err error) *Error {
	e := &Error{File: s.path, Line: 1, Column: 1, Message: err.Error()}
	known, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case errors.Is(err, io.EOF):
		e.Message, e.Remedy = "the file is empty", "let the first row name the columns: name,password"
	case ok && errors.Is(err, csv.ErrFieldCount):
		e.Line = known.Line
		e.Message = "the row has not as many cells as the first one, " + strconv.Itoa(len(s.columns))
		e.Remedy = "put a cell with a comma in it in double quotes"
	case ok:
		e.Line, e.Column = known.Line, known.Column
		e.Message = "the row is no CSV: " + known.Err.Error()
		e.Remedy = `put a cell with a quote in it in quotes, and write "" for the quote`
	default:
		e.Message = "the file cannot be read: " + reason(err)
	}
	return e
}
