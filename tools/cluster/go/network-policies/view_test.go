package main

import (
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
)

func TestPodsThatComeInTheMiddleOfARoundAreSeenInTheNext(t *testing.T) {
	factory := informers.NewSharedInformerFactory(fake.NewSimpleClientset(), 0)
	pods := factory.Core().V1().Pods().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	add := func(name string) {
		pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: "shop", Name: name}}
		if err := pods.GetIndexer().Add(pod); err != nil {
			t.Fatal(err)
		}
	}
	policy := &networking.NetworkPolicy{ObjectMeta: meta.ObjectMeta{Namespace: "shop", Name: "deny"}}
	if err := policies.GetIndexer().Add(policy); err != nil {
		t.Fatal(err)
	}
	seenPods, seenPolicies := still(pods, policies)
	count := func() int {
		inNamespace, err := seenPods.GetIndexer().ByIndex("namespace", "shop")
		if err != nil {
			t.Fatal(err)
		}
		if all := len(seenPods.GetIndexer().List()); all != len(inNamespace) {
			t.Fatalf("%d Pods in all, %d in their namespace", all, len(inNamespace))
		}
		return len(inNamespace)
	}

	add("first")
	if found := len(seenPolicies.GetIndexer().List()); found != 1 || count() != 1 {
		t.Fatalf("a round begins with %d policies and %d Pods", found, count())
	}
	add("second")
	if count() != 1 {
		t.Fatal("a Pod that came in the middle of a round was seen in it")
	}
	seenPolicies.GetIndexer().List()
	if count() != 2 {
		t.Fatal("the next round does not see it")
	}
}
