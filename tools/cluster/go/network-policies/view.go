package main

import "k8s.io/client-go/tools/cache"

// informer shows another store than its own.
type informer struct {
	cache.SharedIndexInformer
	store cache.Indexer
}

func (i informer) GetIndexer() cache.Indexer { return i.store }

// policyStore takes a new view of the Pods whenever the policies are listed, with which each round begins.
type policyStore struct {
	cache.Indexer
	look func()
}

func (p policyStore) List() []any {
	p.look()
	return p.Indexer.List()
}

// still gives a view of the Pods that changes only when the policies are listed.
func still(pods, policies cache.SharedIndexInformer) (seenPods, seenPolicies cache.SharedIndexInformer) {
	byNamespace := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	seen := cache.NewIndexer(cache.DeletionHandlingMetaNamespaceKeyFunc, byNamespace)
	look := func() {
		// The store that is kept in memory only has no error to give.
		_ = seen.Replace(pods.GetIndexer().List(), "")
	}
	look()
	return informer{pods, seen}, informer{policies, policyStore{policies.GetIndexer(), look}}
}
