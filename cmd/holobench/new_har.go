package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"holobench/internal/har"
)

// newFromRecording writes the files that a recording becomes: a scenario at path, and a protocol file beside it unless the
// protocol is one that is built in.
func newFromRecording(c *cobra.Command, recording, path string) error {
	if path == "" {
		path = strings.TrimSuffix(filepath.Base(recording), filepath.Ext(recording)) + ".yaml"
	}
	protocol := strings.TrimSuffix(strings.TrimSuffix(path, ".yaml"), ".yml") + ".protocol.yaml"
	file, err := os.Open(recording) //nolint:gosec // it is what the user named
	if err != nil {
		return fmt.Errorf("read the recording: %w", err)
	}
	defer file.Close()
	read, err := har.Read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", recording, err)
	}
	files, err := har.Deduce(read, har.Names{Recording: filepath.Base(recording), Protocol: "./" + filepath.Base(protocol)})
	if err != nil {
		return fmt.Errorf("%s: %w", recording, err)
	}
	if files.Protocol != "" {
		if err := writeNew(protocol, files.Protocol); err != nil {
			return err
		}
	}
	if err := writeNew(path, files.Scenario); err != nil {
		return err
	}
	return failed(tellOfRecording(c.OutOrStdout(), path, protocol, &files))
}

func tellOfRecording(out io.Writer, path, protocol string, files *har.Files) error {
	fmt.Fprintf(out, "%s: a scenario\n", path)
	if files.Protocol != "" {
		fmt.Fprintf(out, "%s: the protocol, as the recording shows it\n", protocol)
	}
	for _, line := range files.Found {
		fmt.Fprintf(out, "  %s\n", line)
	}
	fmt.Fprintf(out, "next:\n")
	if files.Checks > 0 {
		fmt.Fprintf(out, "  read the %d comments that begin with CHECK: each is a guess, and says what else could be true\n", files.Checks)
	}
	_, err := fmt.Fprintf(out, `  holobench check %[1]s
  holobench check --connect --send %[1]s   # one client: does it come in, does its event come back?
  holobench run %[1]s
`, path)
	return err
}

// writeNew writes a file that was not there.
func writeNew(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // where the user wants it
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and stays as it is: name another file with -o", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = io.WriteString(file, text)
	return failed(errors.Join(err, file.Close()))
}
