package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// batchRows is the most that Scan yields at once: 180 KB, so that filling a batch column by column stays in the cache.
const batchRows = 1 << 11

// History is the record of one run as its reader sees it: run.json, the names, and the Observations, from the directory
// of a run (Open) or from memory (Memory.History). It is not safe for concurrent use.
type History struct {
	Run   Run
	Names *Names // of the channels and error texts that the scanned Observations refer to; Scan adds to it

	// Torn counts the segments that were never completed: a killed run leaves one. Their rows are lost.
	Torn int

	// Damaged says, segment by segment, what could not be read. Open names those that cannot be opened, Scan adds those
	// whose pages are damaged. Their rows are missing from the damage on, so that reach and loss of such a history are
	// not known.
	Damaged []string

	// Unrecognised counts the rows of the last Scan whose kind or path is of a newer version: they have Kind Invalid or
	// Path NoPath. A row with both counts twice.
	Unrecognised uint64

	dir      string
	segments []string
	memory   *Memory // instead of segments
}

// Open opens the run directory path. A missing or unreadable run.json is an error that names the remedy; a damaged segment
// is none, see History.Damaged.
func Open(path string) (*History, error) {
	run, err := ReadRun(path)
	if err != nil {
		return nil, err
	}
	h := &History{Run: run, Names: new(Names), dir: path}
	h.Names.Number(otherError)
	entries, err := os.ReadDir(filepath.Join(path, segmentsDir))
	if err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	numbers := make(map[string]int, len(entries))
	for _, entry := range entries {
		number, torn, ok := segmentNumber(entry.Name())
		switch {
		case !ok: // a file of somebody else
		case torn:
			h.Torn++
		case h.opens(entry.Name()):
			h.segments = append(h.segments, entry.Name())
			numbers[entry.Name()] = number
		}
	}
	slices.SortFunc(h.segments, func(a, b string) int { return numbers[a] - numbers[b] })
	return h, nil
}

// opens tells whether the segment can be opened, and notes it as damaged when not.
func (h *History) opens(segment string) bool {
	s, err := openSegment(filepath.Join(h.dir, segmentsDir, segment), h.Names)
	if err == nil {
		err = s.close()
	}
	if err != nil {
		h.noteDamage(segment, err)
	}
	return err == nil
}

func (h *History) noteDamage(segment string, err error) {
	note := fmt.Sprintf("%s: %v", filepath.Join(segmentsDir, segment), err)
	if !slices.Contains(h.Damaged, note) { // Scan finds the same again
		h.Damaged = append(h.Damaged, note)
	}
}

// segmentNumber reads the name of a segment, such as 000017.parquet, or of a torn one, which has .tmp behind it.
func segmentNumber(name string) (number int, torn, ok bool) {
	name, torn = strings.CutSuffix(name, tmpSuffix)
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false, false
	}
	number, err := strconv.Atoi(digits)
	return number, torn, err == nil && number > 0
}

// Scan yields all Observations in the order in which they were written, so that those of one Conn come in the order of
// their bytes, in batches of at most 2,048. A batch is the callback's only until it returns. An error of the callback
// ends Scan and is returned as it is. Damage ends one segment, not Scan (see Damaged). Scan may be called again.
func (h *History) Scan(yield func(batch []Observation) error) error {
	h.Unrecognised = 0
	if h.memory != nil {
		return h.memory.Scan(yield)
	}
	batch := make([]Observation, batchRows)
	for _, segment := range h.segments {
		if err := h.scanSegment(segment, batch, yield); err != nil {
			return err
		}
	}
	return nil
}

func (h *History) scanSegment(segment string, batch []Observation, yield func([]Observation) error) error {
	s, err := openSegment(filepath.Join(h.dir, segmentsDir, segment), h.Names)
	if err != nil {
		h.noteDamage(segment, err)
		return nil
	}
	var yieldErr error
	rows := 0
	for yieldErr == nil {
		n, err := s.read(batch)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			h.noteDamage(segment, fmt.Errorf("after %d rows: %w", rows, err))
			break
		}
		rows += n
		yieldErr = yield(batch[:n])
	}
	h.Unrecognised += s.unrecognised
	if err := s.close(); err != nil {
		h.noteDamage(segment, err)
	}
	return yieldErr
}

// Samples returns the samples of the run in the order of writing. A run without any has none.
func (h *History) Samples() ([]Sample, error) {
	if h.memory != nil {
		return h.memory.Samples(), nil
	}
	return ReadSamples(h.dir)
}
