package clients

import (
	"flag"
	"os"
	"testing"
)

var verify = flag.Bool("verify", false, "run the long proofs (make verify-*, make bench-receive)")

// benchRole is the variable that makes this program one of the processes of make bench-receive.
const benchRole = "HOLOBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(benchRole); role != "" {
		play(role)
		return
	}
	os.Exit(m.Run())
}
