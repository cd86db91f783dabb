package clients

import "context"

// enter makes the requests that a client makes once: its login, and what its protocol file sets up. Whichever half of the client
// comes first makes them; the other waits. Where they failed, the next who needs them tries again.
func (c *Client) enter(ctx context.Context) error {
	b := c.browser
	if b == nil {
		return nil
	}
	select {
	case <-b.entered:
		defer func() { b.entered <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if b.done {
		return nil
	}
	own := &c.crowd.Own
	if err := b.steps(ctx, own.Login); err != nil {
		return err
	}
	if own.Generic != nil {
		if err := b.steps(ctx, own.Generic.Setup); err != nil {
			return err
		}
	}
	b.done = true
	return nil
}

// Leave makes the requests that stand at the very end of a client, when it has come in at all. The error says which of them
// failed, and why.
func (c *Client) Leave(ctx context.Context) error {
	if c.browser == nil {
		return nil
	}
	select {
	case <-c.browser.entered:
		defer func() { c.browser.entered <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !c.browser.done {
		return nil
	}
	return c.browser.steps(ctx, c.crowd.Own.Teardown)
}
