package history

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const samplesHeader = "at_ns,source,name,value\n"

// SampleWriter appends Samples to samples.csv of a run: at_ns,source,name,value. They are few (some dozens a second), so
// that plain lines, which every tool reads also while the run goes on, are worth more than a compact form. It is safe for
// concurrent use.
type SampleWriter struct {
	mu   sync.Mutex
	file *os.File
	line bytes.Buffer
}

// NewSampleWriter opens samples.csv of dir and begins it with its header. The caller closes it.
func NewSampleWriter(dir *Dir) (*SampleWriter, error) {
	file, err := os.OpenFile(dir.File(samplesFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("record samples: %w", err)
	}
	if _, err := file.WriteString(samplesHeader); err != nil {
		return nil, errors.Join(fmt.Errorf("record samples: %w", err), file.Close())
	}
	return &SampleWriter{file: file}, nil
}

// Write appends samples and hands them to the system before it returns, so that a killed run has them. Line breaks in
// Source and Name become spaces: a sample is one line.
func (s *SampleWriter) Write(samples ...Sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.Reset()
	out := csv.NewWriter(&s.line)
	oneLine := strings.NewReplacer("\n", " ", "\r", " ")
	for _, sample := range samples {
		// A bytes.Buffer takes everything: the only errors are those of the file below.
		_ = out.Write([]string{
			strconv.FormatInt(sample.At, 10), oneLine.Replace(sample.Source), oneLine.Replace(sample.Name),
			strconv.FormatFloat(sample.Value, 'g', -1, 64),
		})
	}
	out.Flush()
	if _, err := s.file.Write(s.line.Bytes()); err != nil {
		return fmt.Errorf("record samples: %w", err)
	}
	return nil
}

// Close closes the file.
func (s *SampleWriter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("record samples: %w", err)
	}
	return nil
}

// ReadSamples reads samples.csv of the run directory path. A last line without its end, as a killed run leaves it, is
// ignored; a missing file holds no samples; another line that is none is an error with its number.
func ReadSamples(path string) ([]Sample, error) {
	file := filepath.Join(path, samplesFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	if len(data) == 0 {
		return nil, nil
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord = 4
	records, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read samples %s: %w", file, err)
	}
	if strings.Join(records[0], ",")+"\n" != samplesHeader {
		return nil, fmt.Errorf("read samples %s: line 1: want the header %q", file, strings.TrimSuffix(samplesHeader, "\n"))
	}
	samples := make([]Sample, 0, len(records)-1)
	for i, record := range records[1:] {
		sample, err := parseSample(record)
		if err != nil {
			return nil, fmt.Errorf("read samples %s: line %d: %w", file, i+2, err)
		}
		samples = append(samples, sample)
	}
	return samples, nil
}

func parseSample(record []string) (Sample, error) {
	at, err := strconv.ParseInt(record[0], 10, 64)
	if err != nil {
		return Sample{}, fmt.Errorf("at_ns: %w", err)
	}
	value, err := strconv.ParseFloat(record[3], 64)
	if err != nil {
		return Sample{}, fmt.Errorf("value: %w", err)
	}
	return Sample{At: at, Source: record[1], Name: record[2], Value: value}, nil
}
