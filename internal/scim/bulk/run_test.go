package bulk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim/bulk"
)

// post makes a user whose name is its bulkId, with friends.
func post(id string, friends ...string) string {
	list := []map[string]string{}
	for _, friend := range friends {
		list = append(list, map[string]string{"value": "bulkId:" + friend})
	}
	text, _ := json.Marshal(list)
	return fmt.Sprintf(`{"method": "POST", "path": "/Users", "bulkId": "%s", "data": {"userName": "%s", "friends": %s}}`, id, id, text)
}

func remove(path string) string { return fmt.Sprintf(`{"method": "DELETE", "path": "%s"}`, path) }

func operations(list ...string) string { return strings.Join(list, ", ") }

func posted(id string, friends ...string) string { return stored("POST /Users", id, friends...) }

func completed(id string, friends ...string) string {
	return stored("PUT /Users/id-"+id, id, friends...)
}

func stored(what, id string, friends ...string) string {
	list := []map[string]string{}
	for _, friend := range friends {
		list = append(list, map[string]string{"value": "id-" + friend})
	}
	text, _ := json.Marshal(list)
	return fmt.Sprintf(`%s {"friends":%s,"userName":"%s"}`, what, text, id)
}

func TestOperationsRunInOrderAndCirclesAreMade(t *testing.T) {
	for name, tt := range map[string]struct {
		operations string
		refuses    map[string]int
		done       []string
		want       string
	}{
		"none": {``, nil, nil, ``},
		"the order given": {
			operations(remove("/Users/1"), post("a"), remove("/Users/2"), post("b", "a")), nil,
			[]string{"DELETE /Users/1", posted("a"), "DELETE /Users/2", posted("b", "a")},
			"204 a:201 204 b:201",
		},
		"a reference to a later one waits": {
			operations(post("a", "b"), remove("/Users/1"), post("b")), nil,
			[]string{"DELETE /Users/1", posted("b"), posted("a", "b")},
			"a:201 204 b:201",
		},
		"what waits runs in order": {
			operations(post("a", "d"), post("b", "a"), post("c", "d"), post("d")), nil,
			[]string{posted("d"), posted("a", "d"), posted("b", "a"), posted("c", "d")},
			"a:201 b:201 c:201 d:201",
		},
		"a path": {
			operations(remove("/Users/bulkId:a"), post("a"), remove("/Users/bulkId:a")), nil,
			[]string{posted("a"), "DELETE /Users/id-a", "DELETE /Users/id-a"},
			"204 a:201 204",
		},
		"what is done to one resource keeps its order": {
			operations(`{"method": "PUT", "path": "/Users/1", "data": {"friend": "bulkId:a"}}`, remove("/Users/1"), remove("/Users/2"), post("a")), nil,
			[]string{"DELETE /Users/2", posted("a"), `PUT /Users/1 {"friend":"id-a"}`, "DELETE /Users/1"},
			"200 204 204 a:201",
		},
		"a reference to nobody": {
			operations(post("a", "nobody"), post("b", "a"), remove("/Users/bulkId:nobody"), `{"method": "PUT", "path": "/Users/1", "data": {"a": "bulkId:"}}`, post("c")), nil,
			[]string{posted("c")},
			"a:409 b:409 409 409 c:201",
		},
		"a bulkId that is no POST's": {
			operations(`{"method": "DELETE", "path": "/Users/1", "bulkId": "a"}`, post("b", "a")), nil,
			[]string{"DELETE /Users/1"},
			"a:204 b:409",
		},
		"a bulkId of two": {
			operations(post("a"), post("a", "a"), post("b", "a")), nil,
			[]string{posted("a"), posted("b", "a")},
			"a:201 a:400 b:201",
		},
		"a reference to what failed": {
			operations(post("b", "a"), post("a"), post("c", "b")),
			map[string]int{"a": 400},
			[]string{posted("a")},
			"b:409 a:400 c:409",
		},
		"a circle of one": {
			operations(post("a", "a")), nil,
			[]string{posted("a"), completed("a", "a")},
			"a:201",
		},
		"a circle of two": {
			operations(post("a", "b"), remove("/Users/1"), post("b", "a"), post("c", "a")), nil,
			[]string{"DELETE /Users/1", posted("a"), posted("b", "a"), completed("a", "b"), posted("c", "a")},
			"a:201 204 b:201 c:201",
		},
		"a circle of three": {
			operations(post("a", "b"), post("b", "c"), post("c", "a")), nil,
			[]string{posted("a"), posted("c", "a"), posted("b", "c"), completed("a", "b")},
			"a:201 b:201 c:201",
		},
		"a circle that waits, and is waited for": {
			operations(post("x", "a"), post("a", "b"), post("b", "a", "y"), post("y")), nil,
			[]string{posted("y"), posted("a"), posted("b", "a", "y"), completed("a", "b"), posted("x", "a")},
			"x:201 a:201 b:201 y:201",
		},
		"two circles in one": {
			operations(post("a", "b"), post("b", "a", "c"), post("c", "b")), nil,
			[]string{posted("a"), posted("b", "a"), posted("c", "b"), completed("a", "b"), completed("b", "a", "c")},
			"a:201 b:201 c:201",
		},
		"a circle whose first fails": {
			operations(post("a", "b"), post("b", "a"), post("c")),
			map[string]int{"a": 400},
			[]string{posted("a"), posted("c")},
			"a:400 b:409 c:201",
		},
		"a circle whose last fails": {
			operations(post("a", "b"), post("b", "a"), post("c")),
			map[string]int{"b": 400},
			[]string{posted("a"), posted("b", "a"), posted("c")},
			"a:409 b:400 c:201",
		},
		"a circle that is not completed": {
			operations(post("a", "b"), post("b", "a")),
			map[string]int{"PUT /Users/id-a": 412},
			[]string{posted("a"), posted("b", "a"), completed("a", "b")},
			"a:409 b:201",
		},
		"a circle that refers to what failed": {
			operations(post("x"), post("a", "b", "x"), post("b", "a")),
			map[string]int{"x": 400},
			[]string{posted("x")},
			"x:400 a:409 b:409",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := server{refuses: tt.refuses}
			got := s.run(t, tt.operations)
			if diff := cmp.Diff(tt.done, s.done); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, statuses(got)); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			for _, r := range got {
				text, _ := json.Marshal(r.Response)
				if r.Status == "409" && (strings.Contains(string(text), "scimType") || !strings.Contains(string(text), `"status":"409","detail":"`)) {
					t.Errorf("a conflict says %s", text)
				}
			}
		})
	}
}

// The example of RFC 7644, section 3.7.1.
func TestGroupsInACircleAreMade(t *testing.T) {
	var s server
	got := s.run(t, `
		{"method": "POST", "path": "/Groups", "bulkId": "qwerty",
		 "data": {"displayName": "Group A", "members": [{"type": "Group", "value": "bulkId:ytrewq"}]}},
		{"method": "POST", "path": "/Groups", "bulkId": "ytrewq",
		 "data": {"displayName": "Group B", "members": [{"type": "Group", "value": "bulkId:qwerty"}]}}`)
	if diff := cmp.Diff([]string{
		`POST /Groups {"displayName":"Group A","members":[]}`,
		`POST /Groups {"displayName":"Group B","members":[{"type":"Group","value":"id-qwerty"}]}`,
		`PUT /Groups/id-qwerty {"displayName":"Group A","members":[{"type":"Group","value":"id-ytrewq"}]}`,
	}, s.done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bulk.Result{
		{Location: base + "/Groups/id-qwerty", Method: "POST", BulkID: "qwerty", Version: `W/"3"`, Status: "201"},
		{Location: base + "/Groups/id-ytrewq", Method: "POST", BulkID: "ytrewq", Version: `W/"2"`, Status: "201"},
	}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// Managers are as in the example of RFC 7644, section 3.7.2.
func TestWhatIsMadeInPartLacksNoMoreThanTheReference(t *testing.T) {
	var s server
	s.run(t, `{"method": "POST", "path": "/Users", "bulkId": "a", "data": {
		"userName": "a", "manager": {"value": "bulkId:a", "displayName": "A"}, "text": "see bulkId:a", "number": 1,
		"names": ["bulkId:a", "b"], "deep": {"list": [{"x": {"y": "bulkId:a"}}, {"x": {}}], "z": 1},
		"urn:x:User": {"employeeNumber": "11250", "manager": {"value": "bulkId:a", "displayName": "A"}},
		"URN:y": "bulkId:a"}}`)
	want := []string{
		`POST /Users {"deep":{"list":[{"x":{}}],"z":1},"names":["b"],"number":1,"text":"see bulkId:a",` +
			`"urn:x:User":{"employeeNumber":"11250"},"userName":"a"}`,
		`PUT /Users/id-a {"URN:y":"id-a","deep":{"list":[{"x":{"y":"id-a"}},{"x":{}}],"z":1},` +
			`"manager":{"displayName":"A","value":"id-a"},"names":["id-a","b"],"number":1,"text":"see bulkId:a",` +
			`"urn:x:User":{"employeeNumber":"11250","manager":{"displayName":"A","value":"id-a"}},"userName":"a"}`,
	}
	if diff := cmp.Diff(want, s.done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestAConflictTellsWhereTheResourceIs(t *testing.T) {
	s := server{refuses: map[string]int{"PUT /Users/id-a": 400}}
	got := s.run(t, operations(post("a", "a"), `{"method": "PUT", "path": "/Users/1", "data": {"a": "bulkId:b"}}`, remove("/Users/bulkId:b")))
	for i, want := range []string{base + "/Users/id-a", base + "/Users/1", ""} {
		if got[i].Location != want || got[i].Status != "409" {
			t.Errorf("%d: got %+v, want it at %q", i, got[i], want)
		}
	}
	if text, _ := json.Marshal(got[0].Response); !strings.Contains(string(text), "its PUT answered with 400") {
		t.Errorf("got %s", text)
	}
}

func TestARequestStopsAfterAsManyErrorsAsItAllows(t *testing.T) {
	list := operations(post("a", "e"), post("bad"), `1`, post("c", "nobody"), remove("/Users/1"), post("e"))
	for errors, want := range []string{
		"a:201 bad:400 400 c:409 204 e:201",
		"bad:400",
		"bad:400 400",
		"bad:400 400 c:409",
		"a:201 bad:400 400 c:409 204 e:201",
	} {
		s := server{refuses: map[string]int{"bad": 400}}
		request := read(t, fmt.Sprintf(`{"failOnErrors": %d, "Operations": [%s]}`, errors, list))
		if got := statuses(bulk.Run(t.Context(), request, s.do).Operations); got != want {
			t.Errorf("%d errors: got %s, want %s", errors, got, want)
		}
	}
}

func TestACircleThatIsNotCompletedIsAnError(t *testing.T) {
	s := server{refuses: map[string]int{"PUT /Users/id-a": 400}}
	request := read(t, `{"failOnErrors": 1, "Operations": [`+operations(post("a", "a"), post("b"))+`]}`)
	if got := statuses(bulk.Run(t.Context(), request, s.do).Operations); got != "a:409" {
		t.Errorf("got %s", got)
	}
}

func TestWhatHasNoIDIsNotReferredTo(t *testing.T) {
	request := read(t, `{"Operations": [`+operations(post("a"), post("b", "a"))+`]}`)
	got := bulk.Run(t.Context(), request, func(context.Context, bulk.Operation) bulk.Outcome { return bulk.Outcome{Status: 201} })
	if statuses(got.Operations) != "a:201 b:409" {
		t.Errorf("got %s", statuses(got.Operations))
	}
}

func TestACircleThatIsStoppedSaysWhatItLacks(t *testing.T) {
	s := server{refuses: map[string]int{"b": 400}}
	request := read(t, `{"failOnErrors": 1, "Operations": [`+operations(post("a", "c"), post("b", "a"), post("c", "b"))+`]}`)
	if got := statuses(bulk.Run(t.Context(), request, s.do).Operations); got != "a:409 b:400" {
		t.Errorf("got %s", got)
	}
	if diff := cmp.Diff([]string{posted("a"), posted("b", "a")}, s.done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestARequestStopsWithItsContext(t *testing.T) {
	for stop, want := range []string{"", "x:201", "a:409 x:201", "a:409 b:201 x:201", "a:201 b:201 x:201", "a:201 b:201 x:201 204"} {
		ctx, cancel := context.WithCancel(t.Context())
		var s server
		s.after = func() {
			if len(s.done) == stop {
				cancel()
			}
		}
		if stop == 0 {
			cancel()
		}
		request := read(t, `{"Operations": [`+operations(post("a", "b"), post("x"), post("b", "a"), remove("/Users/1"))+`]}`)
		got := bulk.Run(ctx, request, s.do).Operations
		cancel()
		slices.SortStableFunc(got, func(a, b bulk.Result) int { return strings.Compare(b.Method, a.Method) })
		slices.SortStableFunc(got, func(a, b bulk.Result) int { return strings.Compare(a.BulkID+"~", b.BulkID+"~") })
		if got == nil || statuses(got) != want || len(s.done) != stop {
			t.Errorf("after %d: got %s, want %s; done %q", stop, statuses(got), want, s.done)
		}
	}
}

// Whatever refers to whatever: each operation runs once at most, nothing refers to
// what is not there, and all that was made has all of its friends or is an error.
func TestEachOperationRunsOnceAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"a", "b", "c", "d", "e", "f", "g"}
		number := rapid.IntRange(0, len(ids)).Draw(t, "posts")
		var list []string
		refuses := map[string]int{}
		friends := map[string][]string{}
		for _, id := range rapid.Permutation(ids[:number]).Draw(t, "order") {
			friends[id] = rapid.SliceOfNDistinct(rapid.SampledFrom(ids[:max(number, 1)]), 0, 3, rapid.ID[string]).Draw(t, "friends")
			list = append(list, post(id, friends[id]...))
			if rapid.IntRange(0, 5).Draw(t, "refused") == 0 {
				refuses[rapid.SampledFrom([]string{id, "PUT /Users/id-" + id}).Draw(t, "where")] = 400
			}
			if rapid.IntRange(0, 3).Draw(t, "removed") == 0 {
				list = append(list, remove("/Users/bulkId:"+rapid.SampledFrom(ids).Draw(t, "whom")))
			}
		}
		allowed := rapid.IntRange(0, 3).Draw(t, "failOnErrors")
		s := server{refuses: refuses}
		body := map[string]any{}
		text := fmt.Sprintf(`{"failOnErrors": %d, "Operations": [%s]}`, allowed, operations(list...))
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		body["failOnErrors"] = json.Number(fmt.Sprint(allowed))
		request, err := bulk.Read(body, bulk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := bulk.Run(context.Background(), request, s.do).Operations

		runs, last := map[string]int{}, map[string]string{}
		for _, done := range s.done {
			if strings.Contains(done, "bulkId:") {
				t.Errorf("a reference is left in %s", done)
			}
			what, data, _ := strings.Cut(done, " {")
			var user struct{ UserName string }
			_ = json.Unmarshal([]byte("{"+data), &user)
			if user.UserName != "" {
				last[user.UserName] = done
				what += user.UserName
			}
			if !strings.HasPrefix(what, "DELETE") {
				runs[what]++
			}
		}
		for what, times := range runs {
			if times > 1 {
				t.Errorf("%s ran %d times", what, times)
			}
		}
		failed := 0
		for _, r := range got {
			if r.Status >= "400" {
				failed++
			}
			if r.Status != "201" {
				continue
			}
			if done := last[r.BulkID]; done != posted(r.BulkID, friends[r.BulkID]...) && done != completed(r.BulkID, friends[r.BulkID]...) {
				t.Errorf("%s is made in part: %s", r.BulkID, done)
			}
		}
		if allowed == 0 && len(got) != len(list) || allowed > 0 && failed < allowed && len(got) != len(list) {
			t.Errorf("%d of %d ran with %d errors", len(got), len(list), failed)
		}
	})
}

func TestManyOperationsThatReferToOneAnotherAreMade(t *testing.T) {
	var list []string
	const many = bulk.DefaultMaxOperations
	for i := range many {
		list = append(list, post(fmt.Sprint(i), fmt.Sprint((i+1)%many), fmt.Sprint((i+7)%many)))
	}
	var s server
	for _, r := range s.run(t, operations(list...)) {
		if r.Status != "201" {
			t.Fatalf("got %+v", r)
		}
	}
}
