package encryption

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"example.com/temporal-codec-server/workers/go/internal/message"
)

const (
	// refusalPause and faultPause are how long a failed call is answered from memory: a history full of payloads under one
	// key then makes one call, and a passing fault is soon tried again.
	refusalPause = 2 * time.Second
	faultPause   = 250 * time.Millisecond
	// mostAhead is how many calls lookAhead has under way at once.
	mostAhead = 16
)

// origin makes the calls behind the cache.
type origin interface {
	generate(ctx context.Context, encryption message.Context) (message.DataKey, message.EncryptedDataKey, error)
	decrypt(ctx context.Context, m *message.Message) (message.DataKey, error)
	readable(m *message.Message) bool
	unknown(m *message.Message) error
	// writes tells whether the message is under the key that writes.
	writes(m *message.Message) bool
}

// dataKeyCache keeps data keys, bounded in number and age. The mutex is never held through a call, every call has a
// goroutine of its own, and all who need the same key wait for the same call: nobody else waits.
type dataKeyCache struct {
	origin  origin
	context message.Context
	bounds  Cache
	timeout time.Duration
	ahead   chan struct{}
	now     func() time.Time

	mutex   sync.Mutex
	closed  bool
	entries map[string]*list.Element // of *cached, by message.Message.KeyFields
	recent  *list.List               // most recently used first
	flights map[string]*flight
	failed  map[string]failure

	batch      *batch
	writing    *flight
	failedSend failure
	sweeper    *time.Timer
}

type cached struct {
	name    string
	dataKey message.DataKey
	expires time.Time
}

// flight is a call under way. Its fields are set before done is closed.
type flight struct {
	done    chan struct{}
	dataKey message.DataKey
	err     error
}

type failure struct {
	err   error
	until time.Time
}

func newDataKeyCache(origin origin, options Options, context message.Context) *dataKeyCache {
	return &dataKeyCache{
		origin: origin, context: context, bounds: options.Cache, timeout: options.Timeout,
		ahead: make(chan struct{}, mostAhead), now: time.Now,
		entries: map[string]*list.Element{}, recent: list.New(), flights: map[string]*flight{}, failed: map[string]failure{},
	}
}

func (c *dataKeyCache) forReading(m *message.Message) (message.DataKey, error) {
	c.mutex.Lock()
	dataKey, call, err := c.findOrCall(m)
	c.mutex.Unlock()
	if call == nil {
		return dataKey, err
	}
	if err := c.wait(call); err != nil {
		return message.DataKey{}, err
	}
	return call.dataKey, nil
}

// findOrCall returns a data key or a failure at hand, or else the call that will bring it. Called with the mutex held.
func (c *dataKeyCache) findOrCall(m *message.Message) (dataKey message.DataKey, call *flight, err error) {
	now := c.now()
	if element, ok := c.entries[string(m.KeyFields)]; ok {
		entry := element.Value.(*cached)
		if now.Before(entry.expires) {
			c.recent.MoveToFront(element)
			return entry.dataKey, nil, nil
		}
		c.remove(element)
	}
	if call, ok := c.flights[string(m.KeyFields)]; ok {
		return dataKey, call, nil
	}
	if known, ok := c.failed[string(m.KeyFields)]; ok && now.Before(known.until) {
		return dataKey, nil, known.err
	}
	if !c.origin.readable(m) {
		return dataKey, nil, c.origin.unknown(m)
	}
	name := string(m.KeyFields)
	call = &flight{done: make(chan struct{})}
	c.flights[name] = call
	go c.read(name, m, call, now)
	return dataKey, call, nil
}

func (c *dataKeyCache) read(name string, m *message.Message, call *flight, started time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	call.dataKey, call.err = c.origin.decrypt(ctx, m)
	c.mutex.Lock()
	delete(c.flights, name)
	if call.err == nil {
		c.keep(name, call.dataKey, started)
	} else {
		c.remember(name, call.err)
		// A key that no longer reads must not go on writing either: the next payload asks for a new data key.
		if hasReason(call.err, fault.KeyDisabled, fault.KeyAccessDenied) && c.origin.writes(m) {
			c.dropBatch()
		}
	}
	c.mutex.Unlock()
	close(call.done)
}

func (c *dataKeyCache) forWriting(bytes int) (message.DataKey, message.Head, error) {
	// A call brings a batch for many; that it is used up by others before this one gets its share is possible, not often.
	for range 16 {
		c.mutex.Lock()
		now := c.now()
		if c.batch != nil && c.batch.fits(bytes, now) {
			defer c.mutex.Unlock()
			return c.batch.take(bytes)
		}
		if now.Before(c.failedSend.until) {
			defer c.mutex.Unlock()
			return c.takeInGrace(bytes, now, c.failedSend.err)
		}
		call := c.writing
		if call == nil {
			call = &flight{done: make(chan struct{})}
			c.writing = call
			go c.write(call, now, bytes)
		}
		c.mutex.Unlock()
		if err := c.wait(call); err != nil {
			c.mutex.Lock()
			defer c.mutex.Unlock()
			return c.takeInGrace(bytes, c.now(), err)
		}
	}
	return message.DataKey{}, nil, fault.Errorf(fault.KeyUnavailable, "data keys for writing are used up as fast as KMS makes them")
}

// takeInGrace writes with the last data key although its life is over, while the key service cannot answer. A refusal
// comes through as it is. Called with the mutex held.
func (c *dataKeyCache) takeInGrace(bytes int, now time.Time, err error) (message.DataKey, message.Head, error) {
	if isUnavailable(err) && c.batch != nil && c.batch.hasRoom(bytes) && now.Before(c.batch.expires.Add(c.bounds.WriteGrace)) {
		return c.batch.take(bytes)
	}
	return message.DataKey{}, nil, err
}

func (c *dataKeyCache) write(call *flight, started time.Time, bytes int) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	dataKey, wrapped, err := c.origin.generate(ctx, c.context)
	var made *batch
	if err == nil {
		made, err = newBatch(dataKey, c.context, wrapped, c.bounds, started)
	}
	c.mutex.Lock()
	c.writing = nil
	if err == nil {
		// The payload that asked is written even if it alone is more than a data key should write.
		made.bytes = max(made.bytes, int64(bytes))
		c.batch.erase()
		c.batch = made
		// What was just written is often read next.
		c.keep(string(made.head), dataKey, started)
	} else {
		c.failedSend = c.failureOf(err)
		if !isUnavailable(err) {
			c.dropBatch()
		}
	}
	c.mutex.Unlock()
	clear(dataKey[:])
	call.err = err
	close(call.done)
}

// lookAhead calls for the data keys that are not at hand, some at once, and stops at the first fault.
func (c *dataKeyCache) lookAhead(messages []*message.Message) {
	var stopped atomic.Bool
	for _, m := range messages {
		if c.has(m) {
			continue
		}
		c.ahead <- struct{}{}
		var call *flight
		c.mutex.Lock()
		if !c.closed && !stopped.Load() {
			_, call, _ = c.findOrCall(m)
		}
		c.mutex.Unlock()
		if call == nil {
			<-c.ahead
			if stopped.Load() {
				return
			}
			continue
		}
		go func() {
			<-call.done
			if isUnavailable(call.err) {
				stopped.Store(true)
			}
			<-c.ahead
		}()
	}
}

func (c *dataKeyCache) has(m *message.Message) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	element, ok := c.entries[string(m.KeyFields)]
	return ok && c.now().Before(element.Value.(*cached).expires)
}

func (c *dataKeyCache) close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.closed = true
	for c.recent.Len() > 0 {
		c.remove(c.recent.Back())
	}
	c.dropBatch()
	clear(c.failed)
}

// wait waits for a call and returns its error; a call that takes longer than one waits goes on for the others.
func (c *dataKeyCache) wait(call *flight) error {
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	select {
	case <-call.done:
		return call.err
	case <-timer.C:
		return fault.Errorf(fault.KeyUnavailable, "KMS has not answered in %v", c.timeout)
	}
}

// keep puts a data key into the cache. Called with the mutex held.
func (c *dataKeyCache) keep(name string, dataKey message.DataKey, since time.Time) {
	if c.closed {
		return
	}
	if element, ok := c.entries[name]; ok {
		c.remove(element)
	}
	for c.recent.Len() >= c.bounds.MaxKeys {
		c.remove(c.recent.Back())
	}
	c.entries[name] = c.recent.PushFront(&cached{name, dataKey, since.Add(c.bounds.ReadTTL)})
	delete(c.failed, name)
	c.sweepLater()
}

func (c *dataKeyCache) remove(element *list.Element) {
	entry := c.recent.Remove(element).(*cached)
	delete(c.entries, entry.name)
	clear(entry.dataKey[:])
}

func (c *dataKeyCache) remember(name string, err error) {
	if len(c.failed) >= c.bounds.MaxKeys {
		clear(c.failed)
	}
	c.failed[name] = c.failureOf(err)
}

func (c *dataKeyCache) dropBatch() {
	c.batch.erase()
	c.batch = nil
}

func (c *dataKeyCache) failureOf(err error) failure {
	if isUnavailable(err) {
		return failure{err, c.now().Add(faultPause)}
	}
	return failure{err, c.now().Add(refusalPause)}
}

// sweepLater erases keys that nobody asks for any more. Called with the mutex held.
func (c *dataKeyCache) sweepLater() {
	if c.sweeper != nil {
		return
	}
	c.sweeper = time.AfterFunc(max(c.bounds.ReadTTL/4, time.Second), func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.sweeper = nil
		now := c.now()
		for element := c.recent.Front(); element != nil; {
			next := element.Next()
			if !now.Before(element.Value.(*cached).expires) {
				c.remove(element)
			}
			element = next
		}
		for name, known := range c.failed {
			if !now.Before(known.until) {
				delete(c.failed, name)
			}
		}
		if c.recent.Len()+len(c.failed) > 0 {
			c.sweepLater()
		}
	})
}
