package phone

import "sync"

// Cache keeps numbers that were read lately: reading one takes longer than all else that
// is decided about it, and one change reads the same two in each of its requests. What is
// refused is not kept.
type Cache struct {
	mu         sync.Mutex
	young, old map[string]Number
}

const (
	// mostYoung is how many numbers are kept at least, and half of how many at most.
	mostYoung  = 1024
	longestKey = 32
)

// NewCache returns an empty cache, for one [Parser] and its copies.
func NewCache() *Cache { return &Cache{young: map[string]Number{}} }

func (c *Cache) find(text string) (Number, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.young[text]
	if !ok {
		if n, ok = c.old[text]; ok {
			c.add(text, n)
		}
	}
	return n, ok
}

func (c *Cache) keep(text string, n Number) {
	if len(text) > longestKey {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(text, n)
}

// add lets go of what was not asked for since the young were none. The caller holds the lock.
func (c *Cache) add(text string, n Number) {
	if len(c.young) >= mostYoung {
		c.young, c.old = make(map[string]Number, mostYoung), c.young
	}
	c.young[text] = n
}
