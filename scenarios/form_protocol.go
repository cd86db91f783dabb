package scenarios

// The forms of a protocol file, which docs/protocols.md explains key by key, and of the requests that a scenario has too.

type protocolForm struct {
	spot
	Version   integer          `yaml:"version"`
	Wire      text             `yaml:"wire"`
	SelfEcho  text             `yaml:"self_echo"`
	Promises  promisesForm     `yaml:"promises"`
	App       appForm          `yaml:"app"`
	Vars      named[text]      `yaml:"vars"`
	JWT       named[tokenForm] `yaml:"jwt"`
	Cookies   text             `yaml:"cookies"`
	Setup     list[stepForm]   `yaml:"setup"`
	Subscribe subscribeForm    `yaml:"subscribe"`
	Events    eventsForm       `yaml:"events"`
	Publish   publishForm      `yaml:"publish"`
	Identity  identityForm     `yaml:"identity"`
}

type promisesForm struct {
	spot
	FIFO      text `yaml:"fifo"`
	Total     text `yaml:"total"`
	Broadcast text `yaml:"broadcast"`
}

type appForm struct {
	spot
	Page        text             `yaml:"page"`
	Module      text             `yaml:"module"`
	Command     text             `yaml:"command"`
	CID         text             `yaml:"cid"`
	Params      named[paramForm] `yaml:"params"`
	SubReceipts boolean          `yaml:"sub_receipts"`
}

// paramForm is a text, or a value under the name of its type.
type paramForm struct {
	spot
	Text    text `yaml:"text"`
	Atom    text `yaml:"atom"`
	Integer text `yaml:"integer"`
	Float   text `yaml:"float"`
}

func (p *paramForm) short() any { return &p.Text }

type tokenForm struct {
	spot
	Alg     text     `yaml:"alg"`
	Key     text     `yaml:"key"`
	KeyFile text     `yaml:"key_file"`
	Header  text     `yaml:"header"`
	Claims  text     `yaml:"claims"`
	TTL     duration `yaml:"ttl"`
}

// stepForm is an HTTP request, and what is expected of its answer.
type stepForm struct {
	spot
	Get       text                `yaml:"get"`
	Post      text                `yaml:"post"`
	Put       text                `yaml:"put"`
	Patch     text                `yaml:"patch"`
	Delete    text                `yaml:"delete"`
	Headers   named[text]         `yaml:"headers"`
	Form      named[text]         `yaml:"form"`
	JSON      text                `yaml:"json"`
	Body      text                `yaml:"body"`
	Status    statusForm          `yaml:"status"`
	Capture   named[selectorForm] `yaml:"capture"`
	Redirects text                `yaml:"redirects"`
}

type statusForm struct{ oneOrMore[text] }

// selectorForm is a word for something that is not in a text, or how a part of a text is found.
type selectorForm struct {
	spot
	word   text
	JSON   text `yaml:"json"`
	Regex  text `yaml:"regex"`
	Header text `yaml:"header"`
}

func (s *selectorForm) short() any { return &s.word }

type subscribeForm struct {
	spot
	Before    list[stepForm] `yaml:"before"`
	Request   stepForm       `yaml:"request"`
	Framing   text           `yaml:"framing"`
	Ready     awaitedForm    `yaml:"ready"`
	After     list[stepForm] `yaml:"after"`
	Resume    named[text]    `yaml:"resume"`
	LostIf    lostForm       `yaml:"lost_if"`
	Node      text           `yaml:"node"`
	Reconnect backoffForm    `yaml:"reconnect"`
	Silence   duration       `yaml:"silence"`
}

type awaitedForm struct {
	spot
	Match   matchForm           `yaml:"match"`
	Capture named[selectorForm] `yaml:"capture"`
}

type lostForm struct {
	spot
	Header      text `yaml:"header"`
	DiffersFrom text `yaml:"differs_from"`
}

type backoffForm struct {
	spot
	Least  duration `yaml:"least"`
	Most   duration `yaml:"most"`
	Factor integer  `yaml:"factor"`
	Jitter text     `yaml:"jitter"`
	Retry  text     `yaml:"retry"`
	AtEnd  text     `yaml:"at_end"`
}

type matchForm struct {
	spot
	Event text            `yaml:"event"`
	Empty boolean         `yaml:"empty"`
	JSON  named[text]     `yaml:"json"`
	Has   oneOrMore[text] `yaml:"has"`
	Regex text            `yaml:"regex"`
}

type eventsForm struct {
	spot
	Ignore     list[matchForm] `yaml:"ignore"`
	React      list[reactForm] `yaml:"react"`
	Disconnect list[matchForm] `yaml:"disconnect"`
	Message    messageForm     `yaml:"message"`
}

type reactForm struct {
	spot
	Match   matchForm           `yaml:"match"`
	Capture named[selectorForm] `yaml:"capture"`
	Request stepForm            `yaml:"request"`
}

type messageForm struct {
	spot
	Match   matchForm    `yaml:"match"`
	Payload selectorForm `yaml:"payload"`
}

type publishForm struct {
	spot
	Request stepForm  `yaml:"request"`
	OK      matchForm `yaml:"ok"`
	Reply   replyForm `yaml:"reply"`
}

type replyForm struct {
	spot
	Framing text                `yaml:"framing"`
	End     matchForm           `yaml:"end"`
	Capture named[selectorForm] `yaml:"capture"`
	Stream  answerForm          `yaml:"stream"`
}

// answerForm is the event of the stream that answers a command.
type answerForm struct {
	spot
	JSON  text `yaml:"json"`
	Regex text `yaml:"regex"`
	Is    text `yaml:"is"`
}

type identityForm struct {
	spot
	Marker    text         `yaml:"marker"`
	ReplyID   replyIDForm  `yaml:"reply_id"`
	Foreign   selectorForm `yaml:"foreign"`
	ServerSeq numberForm   `yaml:"server_seq"`
}

// replyIDForm is what the reply to a command and its event have in common.
type replyIDForm struct {
	spot
	Reply text         `yaml:"reply"`
	Event selectorForm `yaml:"event"`
}

// numberForm is a word for a number that is not in a text, or how it is found, and what it keeps to.
type numberForm struct {
	spot
	word  text
	JSON  text `yaml:"json"`
	Regex text `yaml:"regex"`
	Check text `yaml:"check"`
	Scope text `yaml:"scope"`
}

func (n *numberForm) short() any { return &n.word }
