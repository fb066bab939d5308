// Real work with the Go client that openapi-generator makes: create an instance and a load balancer, and list them.
package main

import (
	"context"
	"fmt"
	"os"

	cnx "github.com/GIT_USER_ID/GIT_REPO_ID"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	configuration := cnx.NewConfiguration()
	configuration.Servers = cnx.ServerConfigurations{{URL: os.Getenv("CLOUDNEXUS_BASE_URL")}}
	client := cnx.NewAPIClient(configuration)
	key := context.WithValue(context.Background(), cnx.ContextAccessToken, os.Getenv("CLOUDNEXUS_API_KEY"))

	body := cnx.NewInstanceCreate("web-1", cnx.PRO, "us-east-1", "ubuntu-22.04-lts")
	made, _, err := client.InstancesAPI.CreateInstance(key).InstanceCreate(*body).Execute()
	must(err)

	rules := []cnx.ForwardingRuleBody{*cnx.NewForwardingRuleBody(cnx.FORWARDING_HTTP, 80, cnx.FORWARDING_HTTP, 8080)}
	front := cnx.NewLoadBalancerBody("front", []string{"us-east-1"}, rules)
	front.HealthCheck = cnx.NewHealthCheckBody()
	balancer, _, err := client.LoadBalancersAPI.CreateLoadBalancer(key).LoadBalancerBody(*front).Execute()
	must(err)

	listed, _, err := client.InstancesAPI.ListInstances(key).Status(cnx.PROVISIONING).Execute()
	must(err)
	fmt.Println(made.Status, balancer.Status, listed.Pagination.Total)
}
