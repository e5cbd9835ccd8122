package focus

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/shopspring/decimal"
)

func TestTablesNeverConfuseWhatTheyHold(t *testing.T) {
	t.Parallel()
	texts := newRecall[int](4) // far too small, so that places are fought over
	known := make(coefficients, 4)
	rng := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for range 20_000 {
		n := rng.IntN(12)
		text := strconv.Itoa(n)
		found, set := texts.find([]byte(text))
		switch {
		case found == nil:
			texts.put(set, text, n)
		case found.value != n || found.text != text:
			t.Fatalf("%q is %+v", text, *found)
		default:
			hits++
		}
		exp := int32(rng.IntN(3) - 2)
		if got := known.decimal(int64(n-6), exp); !got.Equal(decimal.New(int64(n-6), exp)) || got.Exponent() != exp {
			t.Fatalf("%de%d is %s", n-6, exp, got)
		}
	}
	if hits == 0 {
		t.Error("nothing was remembered")
	}
}

func TestLongTextsAreNotKept(t *testing.T) {
	t.Parallel()
	texts := newRecall[int](1)
	long := bytes.Repeat([]byte("x"), maxRecalled+1)
	for _, text := range [][]byte{long, long[1:]} {
		found, set := texts.find(text)
		if found != nil {
			t.Fatal("it was never put")
		}
		texts.put(set, string(text), 1)
	}
	if found, _ := texts.find(long); found != nil {
		t.Error("a text that is too long was kept")
	}
	if found, _ := texts.find(long[1:]); found == nil {
		t.Error("the longest text worth keeping was not kept")
	}
}

func TestSeparatorIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		data := make([]byte, rng.IntN(40))
		for i := range data {
			data[i] = "\x00\x01\n\v+,-\x8a\x8b\xac\xad\xffaz"[rng.IntN(14)]
			if rng.IntN(4) > 0 && (data[i] == ',' || data[i] == '\n') {
				data[i] = 'a'
			}
		}
		from := rng.IntN(len(data) + 1)
		want := bytes.IndexAny(data[from:], ",\n")
		if want < 0 {
			want = len(data) - from
		}
		if got := separator(data, from); got != from+want {
			t.Fatalf("%q from %d: %d, want %d", data, from, got, from+want)
		}
	}
}
