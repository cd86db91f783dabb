package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strconv"
	"syscall"
)

// Texts of Observation.Err. They are a closed set on purpose: the text of an error of the network can carry whatever a
// server put into it, and these end up in reports.
const (
	errEndOfStream  = "end of stream"
	errRefused      = "connection refused"
	errReset        = "connection reset"
	errTimeout      = "timeout"
	errCut          = "cut in mid-message"
	errInterrupted  = "interrupted"
	errOverdue      = "still waiting when the run ended"
	errQueueFull    = "queue of the client is full"
	errNotAStream   = "not an event stream"
	errNoMarker     = "no marker"
	errOtherRun     = "marker of another run"
	errFiles        = "too many open files"
	errProtocol     = "protocol error"
	errNumberBack   = "the server's numbers go back"
	errNumberGap    = "the server's numbers have a gap"
	errNoNumber     = "an event without the server's number"
	errGap          = "events are lost: the server keeps them no more"
	errSession      = "the session was lost"
	errChannel      = "the channel crashed"
	errPushRefused  = "the channel refused the command"
	errMoved        = "redirected"
	errUnknownCause = "other network error"

	errNothingCaptured = "a name of the protocol stands for nothing"
	errSaidOver        = "an event said that the stream is over"
	errSilence         = "nothing came for too long"
	errRefusedInBody   = "refused in the body of the answer"
	errSameAnswer      = "two commands waited for the same answer"

	errStreamCut = "the server reset the stream"
	errLeaving   = "the server said that it ends the connection"
	errNoHTTP2   = "the server speaks no HTTP/2"

	errTLS        = "no secure connection"
	errCompressed = "the body is encoded, and nobody asked for that"
)

// ErrOverdue is the cause with which a run ends the posting of commands that should long have been sent.
var ErrOverdue = errors.New("the command still waited when the run ended")

// Interrupted is the text of Observation.Err for commands that were due and not sent because the run was told to stop.
const Interrupted = errInterrupted

// statusText is the text for an HTTP status that is no success.
func statusText(status int) string { return "http " + strconv.Itoa(status) }

// cause names the reason why a connection failed.
func cause(err error) string {
	var timeout net.Error
	step, isStep := errors.AsType[*StepError](err)
	refused, ok := errors.AsType[*RefusedError](err)
	_, moved := errors.AsType[*movedError](err)
	switch {
	case moved:
		return errMoved
	case ok && refused.step != nil && refused.Status == 0:
		return cause(refused.step)
	case ok && refused.Status == 200:
		return errNotAStream
	case ok:
		return statusText(refused.Status)
	case isStep && step.Cause == nil && step.Missed == "":
		return statusText(step.Status)
	case isStep && step.Cause == nil:
		return errNothingCaptured
	case errors.Is(err, errDisconnectedByServer):
		return errSaidOver
	case errors.Is(err, errSilent):
		return errSilence
	case errors.Is(err, errAnswerShared):
		return errSameAnswer
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	case errors.Is(err, io.EOF):
		return errEndOfStream
	case errors.Is(err, syscall.ECONNREFUSED):
		return errRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errReset
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return errFiles
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errTimeout
	case errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case errors.Is(err, errStreamReset):
		return errStreamCut
	case errors.Is(err, errGoAway):
		return errLeaving
	case errors.Is(err, errNotHTTP2):
		return errNoHTTP2
	case errors.Is(err, errInsecure), alerted(err):
		return errTLS
	case errors.Is(err, errEncoded):
		return errCompressed
	case errors.Is(err, errForeignBytes):
		return errProtocol
	case errors.Is(err, errSessionLost):
		return errSession
	case errors.Is(err, errChannelCrashed):
		return errChannel
	}
	return errUnknownCause
}

// Ends of what stands above a connection, on the wires of Phoenix.
var (
	errSessionLost    = errors.New("the server knows the session no more")
	errChannelCrashed = errors.New("the server closed the channel")
)

// errInsecure marks why TLS did not come about: no TLS at the other end, or one that does not get along with ours, or a certificate
// that is not trusted.
var errInsecure = errors.New("shaking hands for TLS failed")

// errEncoded says that a body has a Content-Encoding.
var errEncoded = fmt.Errorf("%w: the body is encoded, and nobody asked for that", errForeignBytes)

// alerted says whether a connection in TLS ended by an alert, of either end: crypto/tls has no type of it for others to see.
func alerted(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
}

// errForeignBytes marks errors of our parsers: the server sent what the protocol does not allow.
var errForeignBytes = errors.New("the server broke the protocol")

// reason returns the number of an error text. Err has 16 bits, and channels are numbered along with the texts: the texts
// come first (see init), and a status that comes too late for a number of its own is an other error.
func (c *Crowd) reason(text string) uint16 {
	number := c.Names.Number(text)
	if number > math.MaxUint16 {
		number = c.Names.Number(errUnknownCause)
	}
	return uint16(number)
}

// numberCauses gives every text of the closed set its number.
func (c *Crowd) numberCauses() {
	for _, text := range []string{
		errUnknownCause, errEndOfStream, errRefused, errReset, errTimeout, errCut, errInterrupted, errOverdue, errQueueFull,
		errNotAStream, errNoMarker, errOtherRun, errFiles, errProtocol, errMoved,
		errNothingCaptured, errSaidOver, errSilence, errRefusedInBody, errSameAnswer,
		errNumberBack, errNumberGap, errNoNumber, errGap, errSession, errChannel, errPushRefused,
		errStreamCut, errLeaving, errNoHTTP2, errTLS, errCompressed,
	} {
		c.Names.Number(text)
	}
}

// channel returns the number of a channel name.
func (c *Crowd) channel(name string) uint32 { return c.Names.Number(name) }
