package history

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"holobench/wire"
)

func TestObservationIsSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(Observation{}); size > 96 {
		t.Fatalf("an Observation has %d bytes, at most 96 are allowed", size)
	}
}

// constants counts the names of the constant block of observation.go whose first one has that type.
func constants(t *testing.T, typeName string) int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "observation.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		if name, ok := gen.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident); ok && name.Name == typeName {
			return len(gen.Specs)
		}
	}
	t.Fatalf("observation.go has no constants of type %s", typeName)
	return 0
}

func TestEveryKindAndPathHasAName(t *testing.T) {
	t.Parallel()
	if got, want := int(lastKind)+1, constants(t, "Kind"); got != want {
		t.Errorf("kind.go knows %d kinds, observation.go has %d: add the new one to String and to lastKind", got, want)
	}
	if got, want := int(lastPath)+1, constants(t, "Path"); got != want {
		t.Errorf("kind.go knows %d paths, observation.go has %d: add the new one to String and to lastPath", got, want)
	}
	for k := Invalid; k <= lastKind; k++ {
		if back, ok := kindOf(k.String()); back != k || !ok {
			t.Errorf("kind %d is %q, which is read as kind %d (%t)", k, k, back, ok)
		}
	}
	for p := NoPath; p <= lastPath; p++ {
		if back, ok := pathOf(p.String()); back != p || !ok {
			t.Errorf("path %d is %q, which is read as path %d (%t)", p, p, back, ok)
		}
	}
	if got := Kind(200).String(); got != "invalid" {
		t.Errorf("kind 200 is %q, want invalid", got)
	}
	if k, ok := kindOf("teleported"); ok || k != Invalid {
		t.Errorf("kindOf(teleported) = %v, %t", k, ok)
	}
	if p, ok := pathOf("pigeon"); ok || p != NoPath {
		t.Errorf("pathOf(pigeon) = %v, %t", p, ok)
	}
}

func TestColumnNamesAreThoseOfTheRow(t *testing.T) {
	t.Parallel()
	s := newSegmentWriter(new(Names))
	if err := s.begin(filepath.Join(t.TempDir(), "000001.parquet")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, path := range s.out.Schema().Columns() {
		got = append(got, strings.Join(path, "."))
	}
	if want := columnNames(); !slices.Equal(got, want[:]) {
		t.Errorf("columns\n got %q\nwant %q", got, want)
	}
	if err := s.abandon(); err != nil {
		t.Error(err)
	}
}

// testRun is a run directory under the test's own.
func testRun(t testing.TB) *Dir {
	t.Helper()
	dir, err := CreateAt(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.WriteRun(Run{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// record writes batches to dir as one caller.
func record(t testing.TB, dir *Dir, names *Names, opts Options, batches ...[]Observation) *Writer {
	t.Helper()
	w := NewWriter(dir, names, opts)
	done := make(chan error, 1)
	go func() { done <- w.Run(context.Background()) }()
	for _, batch := range batches {
		w.Observe(batch)
	}
	w.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return w
}

// readAll returns what Scan yields, with channels and errors as text beside each row.
func readAll(t testing.TB, h *History) (rows []Observation, texts []string) {
	t.Helper()
	err := h.Scan(func(batch []Observation) error {
		if len(batch) == 0 || len(batch) > batchRows {
			t.Errorf("a batch of %d rows", len(batch))
		}
		for _, o := range batch {
			texts = append(texts, h.Names.Name(o.Channel)+"|"+h.Names.Name(uint32(o.Err)))
			rows = append(rows, o)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, texts
}

func openRun(t testing.TB, dir *Dir) *History {
	t.Helper()
	h, err := Open(dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// randomObservation fills every field, small and large, with every kind and path.
func randomObservation(random *rand.Rand, names uint32) Observation {
	wide := func() int64 { return int64(random.Uint64() >> random.IntN(64)) }
	o := Observation{
		Due: wide(), NotBefore: wide(), At: wide(), Handled: -wide(), Sequence: random.Uint64() >> random.IntN(64),
		Client: random.Uint32() >> random.IntN(32), Part: random.Uint32() >> random.IntN(32), Conn: random.Uint32(),
		Event:   wire.EventID{Publisher: random.Uint32() >> random.IntN(32), Seq: random.Uint32()},
		Channel: random.Uint32N(names), Err: uint16(random.Uint32N(names)), Host: uint16(random.Uint32()), Node: uint16(random.Uint32()),
		Kind: Kind(random.IntN(int(lastKind) + 1)), Path: Path(random.IntN(int(lastPath) + 1)), Load: uint16(random.IntN(3)),
	}
	return o
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	names := new(Names)
	for i := range 300 {
		names.Number(fmt.Sprintf("name %d, \"quoted\"\n</script>", i))
	}
	// More rows than a strip, a batch, a page and a chunk hold, in several segments.
	want := make([]Observation, 150_000)
	for i := range want {
		want[i] = randomObservation(random, 301)
	}
	var batches [][]Observation
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 1+random.IntN(5_000))
		batches = append(batches, rest[:n])
		rest = rest[n:]
	}
	dir := testRun(t)
	var tapped int
	w := record(t, dir, names, Options{SegmentRows: 60_000, ChunkRows: 5_000, Backlog: 2, Tap: func(b []Observation) { tapped += len(b) }},
		batches...)
	if w.Rows() != uint64(len(want)) || w.Lost() != 0 || tapped != len(want) {
		t.Errorf("written %d, lost %d, tapped %d, want %d, 0, %[4]d", w.Rows(), w.Lost(), tapped, len(want))
	}

	h := openRun(t, dir)
	if len(h.segments) != 3 || h.Torn != 0 || h.Damaged != nil {
		t.Errorf("segments %q, torn %d, damaged %q; want 3 sound ones", h.segments, h.Torn, h.Damaged)
	}
	for range 2 { // Scan may be called again
		got, texts := readAll(t, h)
		if len(got) != len(want) {
			t.Fatalf("seed %d: read %d rows, want %d", seed, len(got), len(want))
		}
		for i := range want {
			wantText := names.Name(want[i].Channel) + "|" + names.Name(uint32(want[i].Err))
			same := want[i]
			same.Channel, same.Err = got[i].Channel, got[i].Err // numbered anew by the reader
			if got[i] != same || texts[i] != wantText {
				t.Fatalf("seed %d: row %d:\n got %+v %q\nwant %+v %q", seed, i, got[i], texts[i], want[i], wantText)
			}
		}
	}
	if h.Unrecognised != 0 {
		t.Errorf("%d unrecognised rows", h.Unrecognised)
	}
}

func TestErrTextsBeyondTheFieldAreOtherErrors(t *testing.T) {
	t.Parallel()
	names := new(Names)
	late := names.Number("late error")
	rows := make([]Observation, 70_000)
	for i := range rows {
		rows[i] = Observation{At: int64(i), Kind: Subscribed, Channel: names.Number(fmt.Sprintf("room-%d", i))}
	}
	rows = append(rows, Observation{At: 70_000, Kind: Ended, Err: uint16(late)})
	dir := testRun(t)
	record(t, dir, names, Options{}, rows)
	_, texts := readAll(t, openRun(t, dir))
	if got := texts[69_999]; got != "room-69999|" {
		t.Errorf("the last channel is read as %q", got)
	}
	if got := texts[70_000]; got != "|other error" {
		t.Errorf("an error text beyond the 65,535 names is read as %q, want other error", got)
	}
}

// damage changes one file of the run.
func damage(t *testing.T, path string, change func(data []byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedAndTornSegmentsAreNamedAndTheRestIsRead(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(data []byte) []byte
	}{
		{"cut", func(data []byte) []byte { return data[:len(data)/2] }},
		{"empty", func([]byte) []byte { return nil }},
		{"not parquet", func([]byte) []byte { return []byte("at_ns,kind\n1,delivered\n") }},
		{"a page was overwritten", func(data []byte) []byte {
			for i := len(data) / 4; i < len(data)/2; i++ {
				data[i] ^= 0x5a
			}
			return data
		}},
		{"the footer was overwritten", func(data []byte) []byte {
			for i := len(data) - 400; i < len(data)-200; i++ {
				data[i] ^= 0x5a
			}
			return data
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := testRun(t)
			rows := make([]Observation, 3_000)
			for i := range rows {
				rows[i] = Observation{At: int64(i) * 1_000_003 % 7919, Client: uint32(i), Kind: Delivered}
			}
			record(t, dir, nil, Options{SegmentRows: 1_000, ChunkRows: 1_000}, rows)
			damage(t, dir.File("segments/000002.parquet"), c.change)
			torn := dir.File("segments/000004.parquet.tmp")
			if err := os.WriteFile(torn, []byte("PAR1"), 0o600); err != nil {
				t.Fatal(err)
			}
			h := openRun(t, dir)
			first, _ := readAll(t, h)
			again, _ := readAll(t, h)
			if !slices.Equal(first, again) {
				t.Error("a second Scan yields something else")
			}
			if len(h.Damaged) != 1 || !strings.HasPrefix(h.Damaged[0], "segments/000002.parquet: ") {
				t.Errorf("Damaged = %q, want the one segment", h.Damaged)
			}
			if h.Torn != 1 {
				t.Errorf("Torn = %d, want 1", h.Torn)
			}
			if want := append(slices.Clone(rows[:1_000]), rows[2_000:]...); !slices.Equal(first, want) {
				t.Errorf("read %d rows, want those of the two sound segments", len(first))
			}
		})
	}
}

// TestFlippedBytesNeverPanic damages a segment in one place at a time.
func TestFlippedBytesNeverPanic(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 2))
	dir := testRun(t)
	names := new(Names)
	names.Number("room")
	rows := make([]Observation, 500)
	for i := range rows {
		rows[i] = randomObservation(random, 2)
	}
	record(t, dir, names, Options{}, rows)
	path := dir.File("segments/000001.parquet")
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		broken := slices.Clone(sound)
		broken[random.IntN(len(broken))] ^= byte(1 + random.IntN(255))
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		h := openRun(t, dir)
		got, _ := readAll(t, h)
		if len(got) != len(rows) && len(h.Damaged) == 0 {
			t.Fatalf("seed %d: %d rows of %d and no word about it", seed, len(got), len(rows))
		}
	}
}

func TestNamesOfANewerVersionAreCounted(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	s := newSegmentWriter(new(Names))
	s.kinds[Delivered], s.paths[SSE] = "teleported", "pigeon"
	if err := s.begin(dir.File("segments/000001.parquet")); err != nil {
		t.Fatal(err)
	}
	rows := []Observation{{At: 1, Kind: Sent}, {At: 2, Kind: Delivered, Path: SSE}, {At: 3, Kind: Delivered, Path: Reply}}
	if err := errors.Join(s.write(rows), s.end()); err != nil {
		t.Fatal(err)
	}
	h := openRun(t, dir)
	want := []Observation{{At: 1, Kind: Sent}, {At: 2}, {At: 3, Path: Reply}}
	for range 2 { // each Scan counts anew
		if got, _ := readAll(t, h); !slices.Equal(got, want) || h.Unrecognised != 3 {
			t.Errorf("got %v with %d unrecognised, want %v with 3", got, h.Unrecognised, want)
		}
	}
}

func TestNumbersThatNobodyGaveAreTheEmptyName(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	record(t, dir, nil, Options{}, []Observation{{Channel: 1<<32 - 1, Err: 1<<16 - 1}})
	if _, texts := readAll(t, openRun(t, dir)); len(texts) != 1 || texts[0] != "|" {
		t.Errorf("read %q, want one row with empty names", texts)
	}
}

// TestPanicOverDamageIsAnError lets read meet what no sound file has: rows without pages.
func TestPanicOverDamageIsAnError(t *testing.T) {
	t.Parallel()
	s := &segmentReader{left: 1}
	if n, err := s.read(make([]Observation, 1)); n != 0 || err == nil || !strings.HasPrefix(err.Error(), "it is damaged: ") {
		t.Errorf("read %d rows, %v", n, err)
	}
}

func TestCallbacksCannotChangeTheHistory(t *testing.T) {
	t.Parallel()
	memory := new(Memory)
	memory.Observe([]Observation{{At: 1}, {At: 2}})
	for range 2 {
		err := memory.Scan(func(batch []Observation) error {
			if batch[0].At != 1 || batch[1].At != 2 {
				t.Errorf("read %v", batch)
			}
			clear(batch)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestScanReturnsTheErrorOfItsCallback(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	rows := make([]Observation, 3*batchRows)
	record(t, dir, nil, Options{}, rows)
	memory := new(Memory)
	memory.Observe(rows)
	stop := errors.New("enough")
	for name, h := range map[string]*History{"disk": openRun(t, dir), "memory": memory.History(Run{}, nil)} {
		calls := 0
		err := h.Scan(func([]Observation) error { calls++; return stop })
		if err != stop || calls != 1 { //nolint:errorlint // as it is: not wrapped
			t.Errorf("%s: %v after %d calls, want %v after 1", name, err, calls, stop)
		}
	}
}

func TestSegmentsAreReadInTheOrderOfTheirNumbers(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	for _, name := range []string{"1000000.parquet", "000002.parquet", "999999.parquet"} {
		s := newSegmentWriter(new(Names))
		number, _, _ := segmentNumber(name)
		err := errors.Join(s.begin(dir.File("segments/"+name)), s.write([]Observation{{At: int64(number)}}), s.end())
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir.File("segments/notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	record(t, dir, nil, Options{}, []Observation{{At: 1_000_001}}) // never over what is there
	h := openRun(t, dir)
	got, _ := readAll(t, h)
	want := []Observation{{At: 2}, {At: 999_999}, {At: 1_000_000}, {At: 1_000_001}}
	if !slices.Equal(got, want) || len(h.Damaged) != 0 {
		t.Errorf("got %v, damaged %q", got, h.Damaged)
	}
}
