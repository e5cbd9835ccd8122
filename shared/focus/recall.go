package focus

import (
	"hash/maphash"

	"github.com/shopspring/decimal"
)

// Bills repeat themselves, so what was read lately is kept in tables of a fixed size: a hash names the two places where a
// value may stand, and the newer one pushes the older one out. That is much cheaper than a map for what repeats, and
// costs little for what does not.

// recall remembers what short texts mean.
type recall[T any] struct {
	seed maphash.Seed
	sets [][2]meaning[T] // a power of two
}

type meaning[T any] struct {
	text  string
	value T
}

func newRecall[T any](sets int) recall[T] {
	return recall[T]{seed: maphash.MakeSeed(), sets: make([][2]meaning[T], sets)}
}

// find gives what is remembered of a text, and the set where it belongs. The empty text is never asked for.
func (r *recall[T]) find(text []byte) (*meaning[T], *[2]meaning[T]) {
	set := &r.sets[maphash.Bytes(r.seed, text)&uint64(len(r.sets)-1)]
	for i := range set {
		if set[i].text == string(text) {
			return &set[i], set
		}
	}
	return nil, set
}

func (r *recall[T]) put(set *[2]meaning[T], text string, value T) {
	if len(text) <= maxRecalled {
		set[1], set[0] = set[0], meaning[T]{text, value}
	}
}

const (
	maxRecalled = 512 // bytes of a text; the tables hold some megabytes of the longest
	textSets    = 1 << 13
	instantSets = 1 << 10
	numberSets  = 1 << 13
)

// coefficients remembers numbers that fit into a machine word, since a decimal takes two allocations.
type coefficients [][2]small

type small struct {
	coefficient int64
	exp         int32
	value       decimal.Decimal
}

// decimal is coefficient * 10^exp. Without tables it makes a new one each time.
func (c coefficients) decimal(coefficient int64, exp int32) decimal.Decimal {
	if len(c) == 0 {
		return decimal.New(coefficient, exp)
	}
	const golden = 0x9E3779B97F4A7C15 // Fibonacci hashing: its upper bits depend on all bits of the number
	hash := (uint64(coefficient) ^ uint64(uint32(exp))<<56) * golden
	set := &c[hash>>32&uint64(len(c)-1)]
	for i := range set {
		if s := &set[i]; s.coefficient == coefficient && s.exp == exp && s.value != (decimal.Decimal{}) {
			return s.value
		}
	}
	set[1], set[0] = set[0], small{coefficient, exp, decimal.New(coefficient, exp)}
	return set[0].value
}
