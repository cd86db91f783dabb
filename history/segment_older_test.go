package history

import (
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// olderRow is a row of a holobench that had no column load.
type olderRow struct {
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
	Err       string `parquet:"err,dict"`
	Kind      string `parquet:"kind,dict"`
	Path      string `parquet:"path,dict"`
}

func TestSegmentsWithoutLoadAreRead(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	rows := []olderRow{{At: 1, Node: 2, Kind: "sent"}, {At: 2, Client: 7, Kind: "delivered", Path: "sse"}}
	if err := parquet.WriteFile(dir.File("segments/000001.parquet"), rows); err != nil {
		t.Fatal(err)
	}
	h := openRun(t, dir)
	got, _ := readAll(t, h)
	want := []Observation{{At: 1, Node: 2, Kind: Sent}, {At: 2, Client: 7, Kind: Delivered, Path: SSE}}
	if !slices.Equal(got, want) || len(h.Damaged) != 0 {
		t.Errorf("read %v, damaged %v; want %v", got, h.Damaged, want)
	}
}
