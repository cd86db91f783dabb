package scenarios

// networks are the kinds of network that clients can have, in the order of the manual. What they are made of is for whoever carries
// them out to know; a test of the command holds the two lists against each other.
func networks() []string { return []string{"wifi", "4g", "3g", "satellite", "transatlantic"} }

// network resolves the key of that name; "" = the network as it is.
func (r *resolver) network(form *text) string { return r.oneOf(form, "", networks()) }
