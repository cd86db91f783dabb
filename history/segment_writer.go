package history

import (
	"errors"
	"fmt"
	"os"

	"github.com/parquet-go/parquet-go"
)

// segment_writer.go and segment_reader.go are the only files that know parquet-go.

// row is one Observation as it stands in a segment. Kinds, paths, channels and errors are strings on disk, so that any
// reader of Parquet can ask WHERE kind = 'delivered' without a table of ours; a dictionary makes them one small number a
// row. Times and numbers are delta encoded: they ascend, or repeat, within what one goroutine observes.
type row struct {
	Due       int64  `parquet:"due_ns,delta"`
	NotBefore int64  `parquet:"not_before_ns,delta"`
	At        int64  `parquet:"at_ns,delta"`
	Handled   int64  `parquet:"handled_ns,delta"`
	Sequence  uint64 `parquet:"sequence,delta"`
	Client    uint32 `parquet:"client,delta"`
	Publisher uint32 `parquet:"publisher,delta"`
	Seq       uint32 `parquet:"seq,delta"`
	Part      uint32 `parquet:"part,delta"`
	Channel   string `parquet:"channel,dict"`
	Conn      uint32 `parquet:"conn,delta"`
	Host      uint32 `parquet:"host,delta"`
	Node      uint32 `parquet:"node,delta"`
	Load      uint32 `parquet:"load,delta"`
	Err       string `parquet:"err,dict"`
	Kind      string `parquet:"kind,dict"`
	Path      string `parquet:"path,dict"`
}

// Sizes of the parts of a segment, in rows. A row group is what the writer holds in memory before it goes to the file
// (about 10 bytes a row); rows are converted in strips that stay in the processor's cache.
const (
	groupRows = 1 << 15
	stripRows = 512
)

// segmentWriter writes one Parquet file after the other. It is used by one goroutine.
type segmentWriter struct {
	names *Names
	known []string // the first of names, so that a row costs no lock
	kinds [1 << 8]string
	paths [1 << 8]string
	strip [stripRows]row

	out  *parquet.GenericWriter[row]
	file *os.File
	path string // the final one; the file has it with tmpSuffix
	rows int    // of the open segment
}

const (
	segmentSuffix = ".parquet"
	tmpSuffix     = ".tmp"
)

func newSegmentWriter(names *Names) *segmentWriter {
	s := &segmentWriter{names: names}
	for i := range s.kinds {
		s.kinds[i] = Kind(i).String()
		s.paths[i] = Path(i).String()
	}
	return s
}

// begin opens the segment path under a temporary name.
func (s *segmentWriter) begin(path string) error {
	file, err := os.OpenFile(path+tmpSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	s.file, s.path, s.rows = file, path, 0
	if s.out != nil {
		s.out.Reset(file)
		return nil
	}
	// Snappy, not zstd: zstd is smaller by a third and twice as slow, and its pool of encoders does not survive a second
	// synctest bubble.
	s.out = parquet.NewGenericWriter[row](file,
		parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows), parquet.CreatedBy("holobench", "", ""),
		// The bounds of a page stand in the page index anyhow; a second time in its header they cost 15 % of the writing.
		parquet.DataPageStatistics(false))
	return nil
}

// write appends batch to the open segment.
func (s *segmentWriter) write(batch []Observation) error {
	for len(batch) > 0 {
		n := min(len(batch), stripRows)
		for i := range n {
			s.convert(&s.strip[i], &batch[i])
		}
		if _, err := s.out.Write(s.strip[:n]); err != nil {
			return fmt.Errorf("write segment %s: %w", s.path, err)
		}
		s.rows += n
		batch = batch[n:]
	}
	return nil
}

func (s *segmentWriter) convert(r *row, o *Observation) {
	*r = row{
		Due: o.Due, NotBefore: o.NotBefore, At: o.At, Handled: o.Handled, Sequence: o.Sequence,
		Client: o.Client, Publisher: o.Event.Publisher, Seq: o.Event.Seq, Part: o.Part, Channel: s.name(o.Channel),
		Conn: o.Conn, Host: uint32(o.Host), Node: uint32(o.Node), Load: uint32(o.Load), Err: s.name(uint32(o.Err)),
		Kind: s.kinds[o.Kind], Path: s.paths[o.Path],
	}
}

func (s *segmentWriter) name(number uint32) string {
	if int(number) < len(s.known) {
		return s.known[number]
	}
	if int(number) > s.names.Len() {
		return "" // nobody gave this number: the empty name, as Names has it
	}
	for len(s.known) <= int(number) {
		s.known = append(s.known, s.names.Name(uint32(len(s.known))))
	}
	return s.known[number]
}

// end completes the open segment and gives it its name. It does not sync: a killed process loses nothing that was
// written, and waiting for the disk here would make Observe wait.
func (s *segmentWriter) end() error {
	err := errors.Join(s.out.Close(), s.file.Close())
	s.file = nil
	if err != nil {
		return fmt.Errorf("end segment %s: %w", s.path, err)
	}
	if err := os.Rename(s.path+tmpSuffix, s.path); err != nil {
		return fmt.Errorf("end segment: %w", err)
	}
	s.path = ""
	return nil
}

// abandon removes the open segment, if there is one: without its end it cannot be read, and a full disk has better use
// for the room.
func (s *segmentWriter) abandon() error {
	if s.path == "" {
		return nil
	}
	var err error
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	err = errors.Join(err, os.Remove(s.path+tmpSuffix))
	s.path = ""
	return err
}
